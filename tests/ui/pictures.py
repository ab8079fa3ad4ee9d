"""What is in a picture."""

from PIL import Image, ImageChops

FAR = 24  # of 255, in one channel: another colour, and no shade of an edge


def drawn(picture: Image.Image) -> float:
    """The share of pixels that are not of the most frequent colour: 0 for a blank picture."""
    colors = picture.getcolors(picture.width * picture.height) or []
    ground = Image.new("RGB", picture.size, max(colors)[1])
    far = [max(pixel) > FAR for pixel in ImageChops.difference(picture, ground).get_flattened_data()]
    return sum(far) / len(far)


def colored(picture: Image.Image) -> float:
    """The share of pixels that are neither grey nor nearly so: of bars, not of text and lines."""
    vivid = [max(pixel) - min(pixel) > 4 * FAR for pixel in picture.get_flattened_data()]
    return sum(vivid) / len(vivid)
