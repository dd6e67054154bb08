"""Pictures of pages, and whether two of them show the same.

Compared are the means of small squares, so that how a machine smooths its letters counts for nothing, and a thing that
has moved, grown, vanished or changed its colour for much.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page

from tests.e2e.visits import HEIGHT

SQUARE = 8  # px
NOTICED = 24  # of 255, in any colour: what the means of two squares may differ by
ALLOWED = 0.001  # the share of squares that may differ by more
COLOURS = 128  # of a picture that is kept: the interface has fewer, and it makes small files
_ATTEMPTS = 20


def take_picture(page: Page, width: int) -> Image.Image:
    """The whole page, once two pictures in a row are the same."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.evaluate("document.fonts.ready.then(() => null)")
    last = b""
    for _ in range(_ATTEMPTS):
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": height})
        seen = page.screenshot(animations="disabled")
        if seen == last:
            return Image.open(BytesIO(seen)).convert("RGB")
        last = seen
    raise AssertionError(f"{page.url} does not come to rest")


def keep_picture(picture: Image.Image, path: Path) -> None:
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


def find_difference(seen: Image.Image, wanted: Image.Image) -> tuple[float, Image.Image]:
    """The share of the area that differs, and a picture of it: what is wanted, what is seen, and where they differ."""
    size = max(seen.width, wanted.width), max(seen.height, wanted.height)
    ours, theirs = (extend(picture, size) for picture in (seen, wanted))
    squares = size[0] // SQUARE, size[1] // SQUARE
    means = [picture.resize(squares, Image.Resampling.BOX) for picture in (ours, theirs)]
    channels = ImageChops.difference(*means).split()
    most = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    marked = most.point(lambda value: 255 if value > NOTICED else 0)
    share = marked.histogram()[255] / (squares[0] * squares[1])
    sheet = Image.new("RGB", (size[0] * 3, size[1]), "white")
    where = Image.composite(Image.new("RGB", size, "magenta"), ours, marked.resize(size))
    for place, picture in enumerate((theirs, ours, where)):
        sheet.paste(picture, (place * size[0], 0))
    return share, sheet


def extend(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """On a canvas of `size`; what is missing is a colour that the interface does not have."""
    canvas = Image.new("RGB", size, "cyan")
    canvas.paste(picture, (0, 0))
    return canvas
