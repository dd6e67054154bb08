"""Builds, their contig names and lengths in base pairs (GRCh37 and GRCh38 assemblies)."""

from typing import Literal, get_args

Build = Literal["hg19", "hg38"]
BUILDS: tuple[Build, ...] = get_args(Build)

_CHROMOSOMES = [*(str(number) for number in range(1, 23)), "X", "MT"]

# fmt: off
_LENGTHS: dict[Build, list[int]] = {
    "hg19": [249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022,
             141213431, 135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753,
             81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 16569],
    "hg38": [248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636,
             138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345,
             83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 16569],
}
# fmt: on


def contig_length(build: Build, chromosome: str) -> int:
    """Length in base pairs of a chromosome given without prefix, such as `20`."""
    return _LENGTHS[build][_CHROMOSOMES.index(chromosome)]


def contig_name(build: Build, chromosome: str) -> str:
    """hg38 writes `chr20`, hg19 writes `20`: the style by which sites tell the builds apart."""
    if build == "hg19":
        return chromosome
    return "chrM" if chromosome == "MT" else f"chr{chromosome}"


def bare_chromosome(contig: str) -> str:
    """`chr20` and `20` are chromosome 20; 23 and M are the other names of X and MT."""
    name = contig.removeprefix("chr")
    return {"23": "X", "M": "MT"}.get(name, name)
