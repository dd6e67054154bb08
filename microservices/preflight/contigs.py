"""The style of the chromosome names, and which of them sites take."""

from microservices.preflight.genome import has_prefix, is_imputable, name_chromosome
from microservices.preflight.issues import IssueLog
from microservices.preflight.records import Body
from microservices.preflight.report import quote_bytes


def judge_contigs(body: Body, log: IssueLog) -> bool | None:
    """Whether the names have the prefix chr; None when they are mixed or there is no human chromosome."""
    names = [name.decode("latin-1") for name in body.names]
    known = [name for name in names if name_chromosome(name)]
    judge_names(body, log)
    if len(names) > 1:
        quoted = ", ".join(quote_bytes(name) for name in list(body.names)[:5])
        first = quote_bytes(next(iter(body.names)))
        log.add("several_chromosomes", len(names), names=quoted + (", …" if len(names) > 5 else ""), first=first)
    with_chr = [name for name in known if has_prefix(name)]
    without_chr = [name for name in known if not has_prefix(name)]
    if with_chr and without_chr:
        log.add("mixed_contig_style", with_chr=with_chr[0], without_chr=without_chr[0])
    return None if bool(with_chr) == bool(without_chr) else bool(with_chr)


def judge_names(body: Body, log: IssueLog) -> None:
    for name, (_, line) in body.names.items():
        chromosome = name_chromosome(name.decode("latin-1"))
        if chromosome is None:
            log.add("unknown_contig", chromosome=quote_bytes(name) or "an empty name", line=line)
        elif not is_imputable(chromosome):
            log.add("unsupported_chromosome", chromosome=quote_bytes(name))
