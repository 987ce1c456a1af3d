"""The five systems that the paper compares with (Table 1), one file each, in the harness of DIANet.

Two are ports: their authors published code, and the layers here are those layers, down to the number of
weights. Three are reconstructions: only a description is public, and each file lists what it assumes.
They learn under the protocol of this package, not under that of their papers.
"""

from dianet_utils.models.baselines.affectivenet import AffectiveNet
from dianet_utils.models.baselines.fdcn import FDCN
from dianet_utils.models.baselines.geme import GEME
from dianet_utils.models.baselines.learnet import LEARNet
from dianet_utils.models.baselines.originet import OrigiNet

__all__ = ["FDCN", "GEME", "AffectiveNet", "LEARNet", "OrigiNet"]
