"""The one kind of error that is meant for people, and the one kind of warning."""


class InputError(ValueError):
    """Something a user can mend: a wrong parameter, a missing file, a sheet that does not parse.

    The message is one sentence that says what is wrong, where, and what to do about it. Where many
    things are wrong at once the message lists them all, one per line.
    """


class LeakyWarning(UserWarning):
    """The subject that tests also chooses the epoch: the scores of such a run are too high."""
