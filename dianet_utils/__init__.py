"""DIANet in notebooks: phase-aware dynamic images for micro-expression recognition.

Notebooks teach and call; the code that they call is here. Each room imports only from those before it:
``paper`` (published facts), ``plumbing``, ``config``, ``datasets``, ``synthetic``, ``dynamic_images``,
``evaluation``, ``models``, ``loso``, ``run`` (what notebooks call first), ``tables``, ``plots``,
``command`` (what people type). Importing this package loads none of its rooms.
"""

__version__ = "0.1.0"
