"""Sentences that the numbers decide: the mixture search and the two questions of the papers."""

from __future__ import annotations

from mmmim.analysis.statistics import difference

from .measures import choice_protocol
from .methods import ALL_IMAGES, FEW, SCRATCH, SINGLE, TARGETS
from .options import FROZEN, TRAINED

EQUAL_COST = 1.05  # processor time of equal length differs by that much from run to run
MISSING = 'missing'


def protocol_title(name: str) -> str:
    return FROZEN.get(name) or f'{TRAINED[name].title}, fine-tuned'


def comparable(row, protocol) -> bool:
    """Whether a row has a standard error."""
    found = row and row.scores.get(protocol)
    return bool(found) and found.se is not None


def separation(a, b, protocol: str) -> str:
    """``'above'``, ``'below'`` or ``'even'`` by two combined standard errors, or ``'missing'``."""
    if not (comparable(a, protocol) and comparable(b, protocol)):
        return MISSING
    if difference(a.scores[protocol], b.scores[protocol]).separated:
        return 'above'
    return 'below' if difference(b.scores[protocol], a.scores[protocol]).separated else 'even'


def mixture_search(rows, protocols) -> dict:
    """Which mixtures were tried, which one the tune split chose, and whether it beats all others.

    Returns:
        dict: ``protocol``; ``tried``, name -> value on tune; ``chosen`` (name or None); ``rivals``,
            name -> separation from the chosen one; ``verdict`` 'yes', 'no' or 'missing'; ``cost``,
            processor time over that of the best single method; ``equal_cost``, whether that is at
            most EQUAL_COST; ``best``, the best single method.
    """
    protocol = choice_protocol(protocols)
    mixtures = [row for row in rows if row.method.group == 'mixtures']
    singles = [row for row in rows if row.method.group in SINGLE]
    tried = {row.method.name: row.tune[protocol] for row in mixtures if protocol in row.tune}
    found = dict(protocol=protocol, tried=tried, chosen=None, rivals={}, verdict=MISSING)
    found |= dict(untried=[row.method.name for row in mixtures if row.method.name not in tried])
    found |= dict(cost=None, equal_cost=None, best=None)
    if not tried or found['untried'] and not _settled(mixtures, tried):
        return found
    chosen = next(row for row in mixtures if row.method.name == max(tried, key=tried.get))
    rivals = {row.method.name: separation(chosen, row, protocol) for row in singles}
    if any(value in ('below', 'even') for value in rivals.values()):
        verdict = 'no'
    elif rivals and all(value == 'above' for value in rivals.values()):
        verdict = 'yes'
    else:
        verdict = MISSING
    measured = [row for row in singles if row.scores.get(protocol)]
    best = max(measured, key=lambda row: row.scores[protocol].mean, default=None)
    found |= dict(chosen=chosen.method.name, rivals=rivals, verdict=verdict)
    if best is not None:
        found['best'] = best.method.name
        if best.cost and chosen.cost and best.cost.cpu_seconds:
            found['cost'] = chosen.cost.cpu_seconds / best.cost.cpu_seconds
            found['equal_cost'] = found['cost'] <= EQUAL_COST
    return found


def _settled(mixtures, tried) -> bool:
    """Whether the mixtures without a number will never have one."""
    return all(row.problem or row.failed for row in mixtures if row.method.name not in tried)


def mixture_sentences(search: dict) -> list[str]:
    """The search in words."""
    if search['chosen'] is None:
        return [f'Does a mixture beat every single method? **{MISSING}**: not every one was tried.']
    verdict, lines = search['verdict'], []
    lines.append(
        f'Chosen on the tune split with the first seed: **{search["chosen"]}** '
        f'({search["tried"][search["chosen"]]:.1f} %, best of {len(search["tried"])}).'
    )
    counts = {key: sum(v == key for v in search['rivals'].values()) for key in
              ('above', 'even', 'below', MISSING)}  # fmt: skip
    lines.append(
        'It beats every single method by more than two standard errors at equal images seen: '
        f'**{verdict}** (of {len(search["rivals"])} single methods it is separated above '
        f'{counts["above"]}, not separated from {counts["even"]}, separated below '
        f'{counts["below"]}, {counts[MISSING]} missing).'
    )
    if search['cost'] is None:
        lines.append(f'Its cost beside that of the best single method: {MISSING}.')
    else:
        both = {'yes': 'yes' if search['equal_cost'] else 'no'}.get(verdict, verdict)
        lines.append(
            f'It took {search["cost"]:.2f} times the processor time of the best single method, '
            f'{search["best"]} (equal cost: at most {EQUAL_COST}). At equal cost it beats every '
            f'single method by more than two standard errors: **{both}**.'
        )
    return lines


def target_order(rows, protocol: str) -> dict:
    """Robust MAE's six targets against each other and against scratch, by one protocol.

    Returns:
        dict: ``targets``, name -> Summary or None in the order of the paper's table; ``pairs``,
            (name, name) -> separation of the first from the second; ``scratch``, name ->
            separation from scratch; ``sentences``.
    """
    by_name = {row.method.name: row for row in rows}
    names = list(TARGETS)
    pairs = {
        (a, b): separation(by_name.get(a), by_name.get(b), protocol)
        for index, a in enumerate(names)
        for b in names[index + 1 :]
    }
    scratch = {
        name: separation(by_name.get(name), by_name.get(SCRATCH), protocol) for name in names
    }
    known = {pair: value for pair, value in pairs.items() if value != MISSING}
    apart = {pair: value for pair, value in known.items() if value != 'even'}
    sentences = [_order_verdict(names, pairs, known, apart)]
    sentences += [_apart(apart)] if apart else []
    worst = 'robust-mae-none-pp'
    sentences.append(
        f'"{TARGETS[worst]}", which the paper finds no better than training from scratch, is here '
        f'{_against(scratch[worst])} random initialisation.'
    )
    targets = {name: by_name[name].scores.get(protocol) for name in names if name in by_name}
    return dict(targets=targets, pairs=pairs, scratch=scratch, sentences=sentences)


def _order_verdict(names, pairs, known, apart) -> str:
    if not known:
        return f'Do the targets separate? **{MISSING}**.'
    neighbours = [pairs[pair] for pair in zip(names, names[1:])]
    open_ = len(pairs) - len(known)
    head = f'Of {len(known)} measured pairs of targets, {len(apart)} differ by more than two '
    head += 'standard errors' + (f' ({open_} of {len(pairs)} pairs missing)' if open_ else '')
    if open_:
        answer = MISSING
    elif len(apart) == len(pairs):
        answer = 'yes'
    else:
        answer = 'in part' if apart else 'no'
    steps = sum(value not in ('even', MISSING) for value in neighbours)
    return f'Do the targets separate? **{answer}**: {head}; {steps} of {len(neighbours)} steps do.'


def _apart(apart) -> str:
    parts = []
    for (a, b), value in apart.items():
        high, low = (a, b) if value == 'above' else (b, a)
        parts.append(f'{TARGETS[high]} above {TARGETS[low]}')
    return 'Separated: ' + '; '.join(parts) + '.'


def _against(value: str) -> str:
    words = dict(above='separated above', below='separated below', even='not separated from')
    return f'**{words[value]}**' if value in words else f'**{MISSING}** beside'


def few_images(rows, protocol: str) -> dict:
    """Pre-training on few images against all images and against scratch, by one protocol.

    Returns:
        dict: ``rows``, name -> (separation from scratch, separation from all images);
            ``sentences``.
    """
    by_name = {row.method.name: row for row in rows}
    found, sentences = {}, []
    for count, name in FEW.items():
        row = by_name.get(name)
        scratch = separation(row, by_name.get(SCRATCH), protocol)
        everything = separation(row, by_name.get(ALL_IMAGES), protocol)
        found[name] = (scratch, everything)
        helps = {'above': 'yes', MISSING: MISSING}.get(scratch, 'no')
        noun = 'image' if count == 1 else 'images'
        sentences.append(
            f'{count:,} {noun}: does pre-training help? **{helps}**: {_against(scratch)} random '
            f'initialisation, {_against(everything)} pre-training on all images.'
        )
    return dict(rows=found, sentences=sentences)
