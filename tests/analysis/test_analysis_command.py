"""Command lines of the analysis tools."""

import pytest

from mmmim.analysis import command
from mmmim.analysis.command import Source


@pytest.fixture
def parser():
    parser = command.analysis_parser('A tool.')
    command.add_models(parser)
    command.add_images(parser, count=4)
    command.add_common(parser)
    return parser


@pytest.mark.parametrize(
    'words, expected',
    [
        (['runs/a/epoch_1.pth'], [Source('a', 'runs/a/epoch_1.pth', None)]),
        (['runs/a'], [Source('a', 'runs/a', None)]),
        (['c/x_y.py', 'runs/a/e.pth'], [Source('a', 'c/x_y.py', 'runs/a/e.pth')]),
        (['x_y.py', 'random'], [Source('random x', 'x_y.py', 'random')]),
        (['ours=x.py', 'a.pth'], [Source('ours', 'x.py', 'a.pth')]),
        (
            ['A b=r/a.pth', 'r/b.pth'],
            [Source('A b', 'r/a.pth', None), Source('r', 'r/b.pth', None)],
        ),
        (
            ['r/a.pth', 'r/b.pth'],
            [Source('r/a', 'r/a.pth', None), Source('r/b', 'r/b.pth', None)],
        ),
        (['r/lr=1/a.pth'], [Source('lr=1', 'r/lr=1/a.pth', None)]),
    ],
)
def test_models_are_told_apart(parser, words, expected):
    assert command.parse_models(parser, words) == expected


@pytest.mark.parametrize(
    'words, message',
    [
        (['x.py'], 'x.py needs a checkpoint behind it'),
        (['x.py', 'y.py'], 'x.py needs a checkpoint behind it'),
        (['x.py', 'b=y.pth'], 'x.py needs a checkpoint behind it'),
        (['random'], 'random needs a config before it'),
        (['a=x.pth', 'a=y.pth'], 'two models are called a: give them names'),
        (['r/x.pth', 'r/x.pth'], 'two models are called r/x'),
    ],
)
def test_words_that_do_not_pair_end_the_program(parser, words, message, capsys):
    with pytest.raises(SystemExit):
        command.parse_models(parser, words)
    assert message in capsys.readouterr().err


def test_common_options(parser):
    args = parser.parse_args(['a.pth', '--images', 'dir', '--size', '64', '96'])
    assert (args.count, args.seed, args.out, args.device) == (4, 0, None, None)
    assert command.size_of(args.size) == (64, 96)
    assert command.size_of([64]) == (64, 64) and command.size_of(None) is None
    with pytest.raises(ValueError, match=r'SIDE or HEIGHT WIDTH, got \[1, 2, 3\]'):
        command.size_of([1, 2, 3])
    with pytest.raises(SystemExit):
        parser.parse_args(['a.pth', '--images', 'dir', '--count', '0'])


def test_results_lie_beside_the_first_checkpoint(tmp_path):
    sources = [Source('a', str(tmp_path / 'run/epoch_1.pth'), None), Source('b', 'x.pth', None)]
    assert command.out_folder(None, sources) == tmp_path / 'run/analysis'
    assert command.out_folder(None, [Source('a', str(tmp_path), None)]) == tmp_path / 'analysis'
    assert str(command.out_folder('there', sources)) == 'there'


def test_devices():
    assert command.pick_device('cpu') == 'cpu'
    with pytest.raises(ValueError, match='--device nothing cannot be used'):
        command.pick_device('nothing')


def test_errors_of_the_user_are_one_sentence():
    def action(error):
        raise error

    with pytest.raises(SystemExit, match='error: no'):
        command.told(action, ValueError('no'))
    with pytest.raises(KeyError):  # ours
        command.told(action, KeyError('no'))
    assert command.told(lambda: 3) == 3


def test_a_place_that_cannot_be_written_is_told_before_the_work(parser, tmp_path):
    (tmp_path / 'file').write_text('')
    words = ['a.pth', '--images', 'dir', '--out', str(tmp_path / 'file/below')]
    with pytest.raises(SystemExit, match='--out .*no folder that can be written.*is a file'):
        command.told(lambda args: pytest.fail('the work began'), parser.parse_args(words))
    words[-1] = str(tmp_path / 'new/result.json')
    command.told(lambda args: None, parser.parse_args(words))
    assert not (tmp_path / 'new').exists()
