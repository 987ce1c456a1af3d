"""What can be said of a synthetic subject: the traits that drawing, skin and motion read."""

from dataclasses import dataclass

Colour = tuple[float, float, float]  # red, green, blue, each from 0 to 1


@dataclass(frozen=True)
class Traits:
    """One subject's face and way of moving; lengths in face units, colours from 0 to 1."""

    gender: str  # as presented: it shifts the odds of hair, beard, brows and jaw
    head_width: float
    head_height: float
    jaw: float
    squareness: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    brow_y: float
    brow_width: float
    brow_thickness: float
    brow_arch: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    nose_height: float
    mouth_y: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    cupid_bow: float
    mouth_curve: float
    lip_colour: float
    chin_y: float
    hairline: float
    light_across: float
    light_above: float
    ambient: float
    age: float
    nasolabial_fold: float
    eye_bags: float
    skin: Colour
    darkness: float  # of the skin, 0 light to 1 dark
    hair: Colour
    iris: Colour
    hair_style: str
    beard: float  # 0 none to 1 full
    freckles: float  # 0 none to 1 many
    glasses: bool
    background: Colour
    clothes: Colour
    expressiveness: dict[int, float]  # how strongly each action unit moves, about 1

    @property
    def nose_y(self) -> float:
        """Where the nose's tip is."""
        return self.eye_y + self.nose_length + 0.11
