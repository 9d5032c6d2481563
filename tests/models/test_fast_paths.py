"""Every fast path against the plain one, forward and backward, and the switches."""

import mmengine
import pytest
import torch
from helpers.masks import random_mask

from mmmim import fast
from mmmim.engine.allocator import keep_freed_memory
from mmmim.fast import PATHS, is_fast, plain
from mmmim.models.attention import attend
from mmmim.models.chunked_attention import chunked_attention
from mmmim.models.tokenizers.cells import most_likely
from mmmim.registry import MODELS

ARCH = dict(embed_dims=32, num_layers=2, num_heads=4, feedforward_channels=64)
PLACE = dict(img_size=32, patch_size=8)


def build(cfg):
    with mmengine.registry.DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(cfg)


def mae():
    return build(
        dict(
            type='mmmim.MaskedImageModeling',
            corruption=dict(type='mmmim.RandomMasking', patch_size=8),
            backbone=dict(type='mmmim.MaskedViT', arch=ARCH, out_type='raw', **PLACE),
            neck=dict(
                type='mmmim.TransformerDecoder', in_dims=32, out_dims=192, embed_dims=32,
                num_layers=1, num_heads=4, **PLACE,
            ),
            target=dict(type='mmmim.PixelTarget', patch_size=8),
            loss=dict(type='mmmim.MaskedRegressionLoss'),
        )
    )  # fmt: skip


def views(samples=3):
    index = torch.arange(samples)
    image = torch.randn(samples, 3, 32, 32)
    return dict(image=image, sample_index=index, epoch=torch.zeros_like(index))


def gradients(model, batch, mask, **autocast):
    model.zero_grad()
    with torch.autocast('cpu', torch.bfloat16, **autocast):
        loss = model.loss(batch, mask=mask)['loss']
    loss.backward()
    return loss.detach(), [p.grad for p in model.parameters() if p.requires_grad]


def test_the_switches():
    assert all(is_fast(name) for name in PATHS)
    with plain('stream'), plain('stream', 'targets'):
        assert not is_fast('stream') and is_fast('attention')
    assert is_fast('stream')
    with plain():
        assert not any(is_fast(name) for name in PATHS) and not keep_freed_memory()
    with pytest.raises(ValueError, match='no fast path is named'), plain('steam'):
        pass


def test_memory_is_kept_where_glibc_is_older(monkeypatch):
    """Older glibc refuses thresholds above 32 MB; the other setting must be made all the same."""
    taken = []

    class Glibc:
        @staticmethod
        def mallopt(name, value):
            if name == -3 and value > 1 << 25:
                return 0
            taken.append((name, value))
            return 1

    monkeypatch.setattr('ctypes.CDLL', lambda name: Glibc)
    monkeypatch.setattr('sys.platform', 'linux')
    assert keep_freed_memory()
    assert taken == [(-3, 1 << 25), (-1, (1 << 31) - 1)]


def test_the_environment_switches(monkeypatch):
    monkeypatch.setenv('MMMIM_PLAIN', 'stream, targets')
    assert fast._from_environment() == {'stream', 'targets'}
    monkeypatch.setenv('MMMIM_PLAIN', 'all')
    assert fast._from_environment() == set(PATHS)
    monkeypatch.setenv('MMMIM_PLAIN', 'steam')
    with pytest.raises(ValueError, match=r"names \['steam'\]: choose from stream"):
        fast._from_environment()


def test_targets_of_masked_cells_alone():
    torch.manual_seed(0)
    model, batch, mask = mae(), views(), random_mask(3, (4, 4), 12)
    seen = []
    model.target.register_forward_hook(lambda module, args, out: seen.append(out.shape[1]))
    loss, grads = gradients(model, batch, mask, enabled=False)
    with plain('targets'):
        expected, plain_grads = gradients(model, batch, mask, enabled=False)
    assert seen == [12, 16]
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(grads, plain_grads, rtol=1e-4, atol=1e-7)


def test_the_last_block_of_a_decoder_for_masked_cells_alone():
    torch.manual_seed(0)
    model, batch, mask = mae(), views(), random_mask(3, (4, 4), 12)
    seen = []
    hook = lambda module, args, out: seen.append(out.shape[1])  # noqa: E731
    model.neck.decoder_blocks[-1].register_forward_hook(hook)
    loss, grads = gradients(model, batch, mask, enabled=False)
    with plain('decoder'):
        expected, plain_grads = gradients(model, batch, mask, enabled=False)
    with torch.no_grad():
        model.loss(batch, mask=mask)
    model.neck.predict = 'all'
    gradients(model, batch, mask, enabled=False)
    assert seen == [12, 17, 17, 16]
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(grads, plain_grads, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('low', [False, True])
@pytest.mark.parametrize('kind', ['MaskedViT', 'MaskedBEiT'])
def test_norms_and_activations_are_computed_again_where_sequences_are_long(kind, low, monkeypatch):
    monkeypatch.setattr('mmmim.models.lean.LONG', 16)
    torch.manual_seed(0)
    more = dict(rel_pos='per_block') if kind == 'MaskedBEiT' else dict(drop_rate=0.0)
    model = build(dict(type=f'mmmim.{kind}', arch=ARCH, out_type='featmap', **PLACE, **more))
    images, results, held = torch.randn(2, 3, 32, 32), [], []

    def run():
        model.zero_grad()
        kept = {}  # by place, as a tensor is often kept by two operators
        keep = lambda x: kept.update({x.untyped_storage().data_ptr(): x.untyped_storage()}) or x  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            with torch.autocast('cpu', torch.bfloat16, enabled=low):
                loss = (model(images)[0].float() ** 2).mean()
        held.append(sum(storage.nbytes() for storage in kept.values()))
        loss.backward()
        results.append((loss.detach(), [p.grad for p in model.parameters() if p.grad is not None]))

    run()
    with plain('activations'):
        run()
    close = dict(rtol=2e-2, atol=1e-3) if low else dict(rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=0)
    torch.testing.assert_close(results[0][1], results[1][1], **close)
    assert len(results[0][1]) > 20 and held[0] < held[1]


def test_the_stream_is_bfloat16_under_autocast_alone():
    torch.manual_seed(0)
    model, batch, mask = mae(), views(), random_mask(3, (4, 4), 12)
    seen = []
    for layer in (*model.backbone.layers, *model.neck.decoder_blocks):
        layer.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    low, low_grads = gradients(model, batch, mask)
    assert set(seen) == {torch.bfloat16}
    seen.clear()
    with plain('stream'):
        high, high_grads = gradients(model, batch, mask)
    assert set(seen) == {torch.float32}
    torch.testing.assert_close(low, high, rtol=5e-3, atol=0)
    for one, other in zip(low_grads, high_grads):
        assert (one - other).norm() < 0.05 * other.norm()
    seen.clear()
    gradients(model, batch, mask, enabled=False)
    assert set(seen) == {torch.float32}


def curve(steps=100):
    """Losses of a tiny model on 4 batches, in bf16."""
    torch.manual_seed(0)
    model, batches, losses = mae(), [views(8) for _ in range(4)], []
    for k, batch in enumerate(batches):
        batch['image'] = batch['image'].mean((2, 3), keepdim=True) + 0.3 * batch['image'] * k
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=True)
    for step in range(steps):
        with torch.autocast('cpu', torch.bfloat16):
            loss = model.loss({**batches[step % 4], 'epoch': torch.full((8,), step)})['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


def test_loss_curves_overlay():
    fast_curve = curve()
    with plain():
        plain_curve = curve()
    assert plain_curve[-4:].mean() < 0.95 * plain_curve[:4].mean()  # it learns
    assert (fast_curve - plain_curve).abs().max() < 0.02 * plain_curve.mean()


@pytest.mark.parametrize('biased', [False, True])
def test_chunks_equal_the_whole(biased):
    """Against torch's own, with a chunk that does not divide the length and another width of v."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 3, 11, 8), torch.randn(2, 3, 7, 8)
    v, bias = torch.randn(2, 3, 7, 5), torch.randn(1, 3, 11, 7) if biased else None
    weight, results = torch.randn(2, 3, 11, 5), []
    for way in ('chunks', 'torch'):
        given = [None if x is None else x.clone().requires_grad_() for x in (q, k, v, bias)]
        if way == 'chunks':
            out = chunked_attention(*given, scale=0.3, chunk=4)
        else:
            wide = torch.nn.functional.pad(given[2], (0, 3))
            out = torch.nn.functional.scaled_dot_product_attention(
                *given[:2], wide, attn_mask=given[3], scale=0.3
            )[..., :5]
        (out * weight).sum().backward()
        results.append([out.detach(), *(x.grad for x in given if x is not None)])
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(results[0][1:], results[1][1:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_long_attention_with_a_learnt_bias_stores_no_matrix(dtype, monkeypatch):
    import mmmim.models.attention as module

    monkeypatch.setattr(module, '_LONG', 64)
    q = torch.randn(1, 2, 16, 8, dtype=dtype, requires_grad=True)
    bias = torch.randn(1, 2, 16, 16, dtype=dtype, requires_grad=True)
    stored = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: stored.append(x.shape) or x, lambda x: x
    ):
        fast_out = attend(q, q, q, bias=bias)
    # The bias itself is there anyway, once for all images.
    assert [tuple(shape) for shape in stored].count((1, 2, 16, 16)) == 1
    with plain('attention'):
        torch.testing.assert_close(fast_out, attend(q, q, q, bias=bias), rtol=2e-2, atol=2e-2)


def test_the_most_likely_token_in_chunks():
    features, weight, bias = torch.randn(3, 5, 8), torch.randn(23, 8), torch.randn(23)
    weight[17], bias[17] = weight[4], bias[4]  # a tie: the first wins, as argmax has it
    expected = torch.nn.functional.linear(features, weight, bias).argmax(-1)
    assert torch.equal(most_likely(features, weight, bias, chunk=5), expected)


def test_tokens_of_masked_cells_alone(tmp_path):
    torch.manual_seed(0)
    small = dict(type='mmmim.DALLEEncoder', num_tokens=50, hidden_dims=16, blocks_per_group=1)
    torch.save(build(small).state_dict(), tmp_path / 'weights.pth')
    tokenizer = build(dict(small, checkpoint=str(tmp_path / 'weights.pth')))
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mask = random_mask(2, (4, 4), 7)
    whole = tokenizer.tokenize(images)
    assert torch.equal(tokenizer.tokenize_cells(images, mask), whole[mask].reshape(2, 7))
    names = set(tokenizer.state_dict())
    with torch.autocast('cpu', torch.bfloat16):
        low = tokenizer.maps(images)
        with plain('tokenizer'):
            high = tokenizer.maps(images)
    assert (low.dtype, high.dtype) == (torch.bfloat16, torch.float32)
    assert (low - high).norm() < 0.02 * high.norm()
    tokenizer.load_state_dict({n: v * 0.5 for n, v in tokenizer.state_dict().items()})
    with torch.autocast('cpu', torch.bfloat16):
        assert not torch.equal(tokenizer.maps(images), low)
    assert set(tokenizer.state_dict()) == names


@pytest.mark.parametrize('long', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_values_narrower_than_keys(dtype, long, monkeypatch):
    """As relative positions make them; the fused kernel would fall back to the whole matrix."""
    import mmmim.models.attention as module

    monkeypatch.setattr(module, '_LONG', 1 if long else 1 << 40)
    torch.manual_seed(0)
    q, k = torch.randn(2, 2, 2, 9, 16, dtype=dtype, requires_grad=True).unbind()
    v = torch.randn(2, 2, 9, 8, dtype=dtype)
    stored = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: stored.append(x) or x, lambda x: x):
        out = attend(q, k, v, scale=0.25)
    expected = (q.float() @ k.float().transpose(-2, -1) * 0.25).softmax(-1) @ v.float()
    tolerance = 1e-5 if dtype == torch.float32 else 3e-2
    torch.testing.assert_close(out.float(), expected, rtol=tolerance, atol=tolerance)
    matrices = [x for x in stored if x.shape[-2:] == (9, 9)]
    assert bool(matrices) == (dtype == torch.bfloat16 and not long)


def test_tables_of_relative_positions_stay_tables(monkeypatch):
    """A backbone with a table per block: same features and gradients, no matrix kept."""
    import mmmim.models.attention as module

    torch.manual_seed(0)
    cfg = dict(type='mmmim.MaskedBEiT', arch=ARCH, rel_pos='per_block', out_type='featmap', **PLACE)
    model, images = build(dict(cfg, masked='drop')).train(), torch.randn(2, 3, 32, 40)
    for name, parameter in model.named_parameters():
        if 'table' in name:
            torch.nn.init.normal_(parameter)
    results = []
    for limit in (1, 1 << 40):
        monkeypatch.setattr(module, '_LONG', limit)
        model.zero_grad()
        stored = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda x, s=stored: s.append(x) or x, lambda x: x
        ):
            out = model(images)[0]
        out.square().sum().backward()
        matrices = [x for x in stored if x.shape[-2:] == (21, 21) and x.is_floating_point()]
        assert bool(matrices) == (limit > 1)
        grads = [p.grad for p in model.parameters() if p.requires_grad and p.grad is not None]
        results.append((out.detach(), grads))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=1e-5)
    for one, other in zip(results[0][1], results[1][1], strict=True):
        assert (one - other).abs().max() <= 1e-4 * other.abs().max()
