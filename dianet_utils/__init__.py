"""DIANet in notebooks: phase-aware dynamic images for micro-expression recognition.

The package is thin: notebooks teach, this package holds what two of them need. Data flows one way,
top to bottom: ``datasets`` -> ``dynamic_images`` -> ``models`` -> ``training`` -> ``loso`` ->
``evaluation`` -> ``plots``, with ``paper`` (published facts) above them all and ``run`` (one typed
configuration) tying them together. Importing this package loads none of its rooms.
"""

__version__ = "0.1.0"
