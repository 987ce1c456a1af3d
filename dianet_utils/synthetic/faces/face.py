"""One subject's face, rendered once: textures for the eyes' states, and one layer an action unit."""

from functools import lru_cache

import cv2
import numpy as np

from dianet_utils.synthetic.faces import features
from dianet_utils.synthetic.faces.action_units import motion_field
from dianet_utils.synthetic.faces.canvas import Canvas, Image, mix, step
from dianet_utils.synthetic.faces.features import SIDES
from dianet_utils.synthetic.faces.geometry import Head, Lips, eye, head, lips
from dianet_utils.synthetic.faces.hair import grow_hair, paint_front
from dianet_utils.synthetic.faces.identity import draw_traits
from dianet_utils.synthetic.faces.relief import Light, height_map
from dianet_utils.synthetic.faces.skin import skin_colour
from dianet_utils.synthetic.faces.surroundings import background, draw_glasses, paint_body
from dianet_utils.synthetic.faces.wrinkles import relief_change
from dianet_utils.synthetic.settings import REFERENCE_SIZE

OVERSAMPLING = 2  # texture pixels per frame pixel, so that motion of a part of a pixel stays sharp
LID_STATES = (1.0, 0.45, 0.0)  # openness of the eyes in the textures
LENS = 0.0058  # face units, sd of the lens's blur
PROBE_PX = 2.0  # motion at which shading is taken as linear


class Face:
    """A subject at one frame size.

    ``textures`` are grey levels [2 size, 2 size, 3] with the eyes open, half open and closed; ``skin``
    [2 size, 2 size] is 1 where folds of the skin show; ``glasses`` is None or a rigid layer.
    """

    def __init__(self, seed: int, gender: str, size: int):
        self.traits = draw_traits(seed, gender)
        self.canvas, self.fine = Canvas(size), Canvas(OVERSAMPLING * size)
        self.light = Light(self.traits)
        outline, mouth = head(self.traits, self.fine), lips(self.traits, self.fine)
        self.height = height_map(self.traits, self.fine, outline, mouth)
        self.shading = self.light.shade(self.height, self.fine)
        self.glasses = draw_glasses(self.traits, seed, self.fine)
        self._layers: dict[int, Image] = {}
        self._paint(seed, outline, mouth)

    def layer(self, unit: int) -> Image:
        """What 1 px (of a 192 px frame) of a unit's motion does [size, size, 3]: motion to the right and
        down in px of this frame, and the relative change of brightness from the skin's folds.
        """
        if unit not in self._layers:
            motion = motion_field(unit, self.traits, self.canvas) * (self.canvas.size / REFERENCE_SIZE)
            self._layers[unit] = np.dstack([motion, self._fold_shading(unit)])
        return self._layers[unit]

    def _fold_shading(self, unit: int) -> Image:
        """Relative change of brightness [size, size] per px of motion."""
        folded = self.height + PROBE_PX * relief_change(unit, self.traits, self.fine)
        change = (self.light.shade(folded, self.fine) / np.maximum(self.shading, 0.15) - 1) / PROBE_PX
        smooth = self.fine.blur(change * self.skin, LENS)
        return cv2.resize(smooth, (self.canvas.size, self.canvas.size), interpolation=cv2.INTER_AREA)

    def _paint(self, seed: int, outline: Head, mouth: Lips) -> None:
        """Fill ``textures`` and ``skin``."""
        traits, canvas = self.traits, self.fine
        on_head = step(1 - outline.radius, 0.012)
        hair = grow_hair(traits, seed, canvas, outline)
        image = mix(background(traits, seed, canvas), hair.colour, hair.behind)
        image = paint_body(image, traits, canvas, outline)
        image = mix(image, self._lit_skin(seed, mouth), on_head)
        brows = features.brows(traits, seed, canvas)
        image = mix(image, 0.75 * np.array(traits.hair, np.float32) + 0.02, brows * on_head)
        image = paint_front(image, hair, on_head, canvas)
        self.textures = [self._with_eyes(image, seed, openness) for openness in LID_STATES]
        eyes = sum(eye(traits, canvas, side, 1.0).open for side in SIDES)
        self.skin = on_head * (1 - hair.before) * (1 - eyes) * (1 - brows)

    def _lit_skin(self, seed: int, mouth: Lips) -> Image:
        """The skin with its shadows [H, W, 3], from 0 to 1."""
        traits, canvas = self.traits, self.fine
        shadow = (1 - features.shadows(traits, canvas, mouth)) * (1 - features.lid_creases(traits, canvas))
        lit = skin_colour(traits, seed, canvas, mouth) * self.shading[..., None]
        return (lit + self.light.gloss(self.height, canvas)[..., None]) * shadow[..., None]

    def _with_eyes(self, image: Image, seed: int, openness: float) -> Image:
        """The finished texture in grey levels, as a lens sees it."""
        whole = features.paint_eyes(image, self.traits, seed, self.fine, self.shading, openness)
        return self.fine.blur(np.clip(255 * whole, 0, 255), LENS)


@lru_cache(maxsize=4)
def face(seed: int, gender: str, size: int) -> Face:
    """The face of a subject at a frame size, kept for the clips that follow."""
    return Face(seed, gender, size)
