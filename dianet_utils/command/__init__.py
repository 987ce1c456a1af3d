"""What people type: ``dianet 04 -p dataset mmew``, ``dianet list``, ``dianet compare RUN RUN``.

``line`` reads what was typed; ``chapters`` finds notebooks and tells what they take; ``given`` makes
parameters of texts; ``execution`` runs a notebook; ``kept_runs`` looks at what lies below results/;
``leaderboard`` puts a run onto the board of results, ``push`` onto the Hugging Face hub.
"""
