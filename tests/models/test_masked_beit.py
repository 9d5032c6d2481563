"""MaskedBEiT where mmpretrain has no counterpart: dropped tokens, other sizes, initialisation."""

import pytest
import torch
from helpers.masks import cells_of, random_mask

from mmmim.models.backbones import MaskedBEiT, MaskedViT
from mmmim.models.beit_block import BEiTBlock
from mmmim.models.position import fixed_table

ARCH = dict(embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=32)
GRID, P = (3, 4), 4
SIZE = (GRID[0] * P, GRID[1] * P)


def build(**options):
    vit = MaskedBEiT(**{**dict(arch=ARCH, img_size=SIZE, patch_size=P, out_type='raw'), **options})
    vit.init_weights()
    for name, parameter in vit.named_parameters():
        if parameter.requires_grad and (parameter.dim() == 1 or 'table' in name):
            torch.nn.init.normal_(parameter, mean=float('ln' in name), std=0.5)
    return vit.eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, *SIZE)


@pytest.fixture
def mask():
    return random_mask(2, GRID, 7)


@pytest.mark.parametrize('rel_pos', ['none', 'shared', 'per_block'])
@pytest.mark.parametrize('with_cls_token', [True, False])
def test_dropping_equals_attention_among_the_visible_alone(images, mask, rel_pos, with_cls_token):
    """The whole model with every key of a masked cell forbidden, by the bias."""
    vit = build(
        rel_pos=rel_pos, with_cls_token=with_cls_token, masked='drop', pos_embed='sincos_row_first'
    )
    latent = vit(images, mask)
    first = int(with_cls_token)
    for sample, visible in enumerate(cells_of(mask)[0]):
        kept = list(range(first)) + [cell + first for cell in visible]
        forbidden = torch.full((first + 12, first + 12), -torch.inf)
        forbidden[:, kept] = 0
        x = vit._embed(images[sample : sample + 1], GRID)
        for layer, whole in zip(vit.layers, biases(vit)):
            x = layer(x, forbidden if whole is None else whole + forbidden)
        torch.testing.assert_close(latent[sample], vit.ln1(x)[0, kept], rtol=1e-5, atol=1e-5)


def biases(vit):
    """The bias that every block sees when nothing is masked, caught on the way."""
    caught = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, args: caught.append(args[1]))
        for layer in vit.layers
    ]
    vit(torch.zeros(1, 3, *SIZE))
    for hook in hooks:
        hook.remove()
    return caught


def test_the_mask_and_its_complement(images, mask):
    """CAE encodes both."""
    vit = build(masked='drop', rel_pos='none', pos_embed='sincos_row_first')
    assert vit(images, mask).shape == (2, 1 + 5, 16)
    assert vit(images, ~mask).shape == (2, 1 + 7, 16)


@pytest.mark.parametrize('rel_pos', ['shared', 'per_block'])
@pytest.mark.parametrize('mode', ['geometric', 'bicubic'])
def test_any_size_at_run_time(rel_pos, mode):
    vit = build(rel_pos=rel_pos, rel_pos_resize=mode, out_type='featmap', out_indices=[0, 2])
    first, last = vit(torch.randn(2, 3, 22, 30))
    assert first.shape == last.shape == (2, 16, 6, 8)
    sum(output.square().sum() for output in (first, last)).backward()
    tables = [p for n, p in vit.named_parameters() if 'table' in n]
    assert len(tables) == (1 if rel_pos == 'shared' else 3)
    assert all((table.grad.abs().sum(0) > 0).all() for table in tables)


def test_without_blocks_of_its_own_it_embeds_as_the_plain_vit(images):
    beit = build(pos_embed='sinusoid_1d', masked='drop', rel_pos='none', with_cls_token=False)
    assert torch.equal(beit.pos_embed, fixed_table('sinusoid_1d', 16, GRID))
    assert torch.equal(beit.position(GRID), beit.pos_embed)
    vit = MaskedViT(ARCH, img_size=SIZE, patch_size=P, pos_embed='sinusoid_1d',
                    with_cls_token=False, out_type='raw')  # fmt: skip
    vit.load_state_dict(beit.state_dict(), strict=False)
    assert torch.equal(vit._embed(images, GRID), beit._embed(images, GRID))


def spread(tensor):
    """(largest absolute value, standard deviation)."""
    return tensor.abs().max().item(), tensor.std().item()


def test_initialisations():
    arch = dict(embed_dims=64, num_layers=3, num_heads=2, feedforward_channels=256)
    make = {}
    for init in ('beit', 'cae', 'trunc_normal', 'mae'):
        torch.manual_seed(0)
        make[init] = MaskedBEiT(arch, img_size=32, patch_size=8, init=init, out_type='raw')
        make[init].init_weights()
    std = 0.02 * 0.5399  # of a normal distribution cut off at one standard deviation
    for depth, layer in enumerate(make['beit'].layers, start=1):
        assert spread(layer.attn.qkv.weight)[1] == pytest.approx(std, rel=0.03)
        for linear in (layer.attn.proj, layer.ffn.layers[1]):
            largest, deviation = spread(linear.weight)
            assert deviation == pytest.approx(std / (2 * depth) ** 0.5, rel=0.05)
            assert largest <= 0.02 / (2 * depth) ** 0.5
    for init in ('beit', 'cae'):
        assert spread(make[init].patch_embed.projection.weight)[0] <= 0.02
        assert not make[init].patch_embed.projection.bias.any()
    for init in ('beit', 'cae', 'trunc_normal'):
        assert spread(make[init].mask_token)[0] <= 0.02
    assert spread(make['trunc_normal'].patch_embed.projection.weight)[0] > 0.02
    last = make['trunc_normal'].layers[2].attn.proj.weight
    assert spread(last)[1] == pytest.approx(std, rel=0.03)
    xavier = (6 / (64 + 192)) ** 0.5 / 3**0.5
    for init in ('cae', 'mae'):
        qkv = make[init].layers[2].attn.qkv.weight
        assert spread(qkv)[1] == pytest.approx(xavier, rel=0.03)
    for model in make.values():
        assert not model.rel_pos_bias.relative_position_bias_table.any()
        assert model.layers[0].gamma_1.unique().tolist() == [pytest.approx(0.1)]


def test_depths_and_freezing():
    vit = build(frozen_stages=2).train()
    depths = {n: vit.get_layer_depth(f'b.{n}', 'b.')[0] for n, _ in vit.named_parameters()}
    assert depths['layers.1.gamma_1'] == 2 and depths['mask_token'] == 0
    assert depths['rel_pos_bias.relative_position_bias_table'] == 4  # BEiT: with the head
    free = {name for name, p in vit.named_parameters() if p.requires_grad}
    assert free == {n for n in depths if n.startswith(('layers.2.', 'ln1.'))}
    assert not vit.layers[0].training and vit.layers[2].training
    per_block = build(frozen_stages=1, rel_pos='per_block')
    assert not per_block.layers[0].attn.relative_position_bias_table.requires_grad
    assert per_block.layers[1].attn.relative_position_bias_table.requires_grad


def test_recomputing_blocks_changes_nothing(images, mask):
    gradients = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        vit = build(with_cp=with_cp, drop_path_rate=0.3).train()
        torch.manual_seed(1)
        vit(images, mask).square().sum().backward()
        gradients.append([p.grad for p in vit.parameters()])
    torch.testing.assert_close(*gradients)


def test_no_layer_scale_has_no_parameters():
    assert BEiTBlock(16, 2, 32, layer_scale_init_value=0).gamma_1 is None


@pytest.mark.parametrize(
    'options', [dict(rel_pos='both'), dict(init='xavier'), dict(rel_pos_resize='linear')], ids=str
)
def test_unknown_options_are_refused(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f'{name} must be one of .*got {value!r}'):
        build(**options)
