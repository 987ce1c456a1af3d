"""Every name that can be chosen, written once: inputs, weightings, scalings, fusion blocks, who validates."""

PHASES = ("whole", "onset", "offset")  # the three dynamic images of a clip
FLOWS = {"flow": "onset", "flow_onset": "onset", "flow_offset": "offset"}  # optical flow, and of which phase
# Dynamic images, the two halves of a clip added up in one image ("tent"), then what other systems read, and
# optical flow of a phase.
INPUTS = (*PHASES, "tent", "active", "affective", "lbp_top", *FLOWS)
WEIGHTINGS = ("arp", "harmonic", "rank")
SCALINGS = ("minmax", "signed")
FUSIONS = {  # each with its class in models/fusion.py
    "cross_channel": "CrossChannel",
    "cross_tokens": "CrossTokens",
    "cross_spatial": "CrossSpatial",
    "cross_single_token": "CrossSingleToken",
    "simple": "Simple",
    "concat": "Concat",
}
STREAMS = ("shared", "dedicated")

LOSO = "loso"  # the split of the paper: one subject is left out at a time
LEAKY = "test_subject"  # the validation policy that must never pass for an honest one
VALIDATIONS = ("held_out", "none", LEAKY)
LEAKY_MARK = f"LEAKY-{LEAKY}"  # in the name of everything that such a run writes
