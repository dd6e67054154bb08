"""Human chromosomes: their names and their lengths in both builds (bp; UCSC chromInfo of hg19 and hg38)."""

from microservices.preflight.report import Build

NAMES = [*(str(number) for number in range(1, 23)), "X", "Y"]

HG19 = (
    249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022,
    141213431, 135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753,
    81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 59373566,
)  # fmt: skip
HG38 = (
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636,
    138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345,
    83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 57227415,
)  # fmt: skip

# The mitochondrion is no evidence: files called hg19 carry either of two sequences, and one of them is hg38's.
MITOCHONDRION_LENGTH = {"hg19": 16571, "hg38": 16569}

LENGTHS: dict[Build, dict[str, int]] = {
    "hg19": dict(zip(NAMES, HG19, strict=True)),
    "hg38": dict(zip(NAMES, HG38, strict=True)),
}
ALIASES = {"23": "X", "M": "MT", "MT": "MT"}


def has_prefix(name: str) -> bool:
    return name.startswith("chr")


def name_chromosome(name: str) -> str | None:
    """The plain name (`1`–`22`, `X`, `Y`, `MT`) behind a contig's name, None for any other contig."""
    plain = name.removeprefix("chr")
    plain = ALIASES.get(plain, plain)
    return plain if plain in LENGTHS["hg19"] or plain == "MT" else None


def is_imputable(chromosome: str) -> bool:
    """Sites of the Michigan family take 1–22, X and MT."""
    return chromosome != "Y"


def find_length(build: Build, chromosome: str) -> int:
    return LENGTHS[build].get(chromosome, MITOCHONDRION_LENGTH[build])
