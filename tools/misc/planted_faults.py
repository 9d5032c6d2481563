"""The faults that tools/misc/plant_faults.py plants, each as a change of the source text.

A fault says which quick tests must notice it. ``old`` must occur exactly once in its file, so a
fault that the code has moved away from is reported instead of passing unplanted.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """One mistake.

    Attributes:
        name: As design lists it; variants of one mistake share the first words.
        edits: (file, old text, new text) triples.
        tests: Files or folders of tests that must turn red.
    """

    name: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


MODELS = 'mmmim/models'
ALGORITHM = f'{MODELS}/algorithms/masked_image_modeling.py'
VIT = f'{MODELS}/backbones/masked_vit.py'
BACKBONE = f'{MODELS}/backbones/masked_transformer.py'
OUTPUTS = f'{MODELS}/backbones/outputs.py'
MASKING = f'{MODELS}/corruptions/masking.py'
DECODER = f'{MODELS}/necks/decoder.py'
LOSS = f'{MODELS}/losses/regression.py'
CONTRASTIVE = f'{MODELS}/losses/contrastive.py'
MOMENTUM = f'{MODELS}/momentum.py'
TARGET = f'{MODELS}/targets/pixel.py'
TOKENS = f'{MODELS}/tokens.py'
ALIGNMENT = f'{MODELS}/algorithms/latent_alignment.py'
BLOCKS = f'{MODELS}/corruptions/block_masking.py'
POSITION = f'{MODELS}/position.py'
TRANSFORMER = f'{MODELS}/transformer.py'
BEIT = f'{MODELS}/beit_block.py'
REL_POS = f'{MODELS}/rel_pos.py'
HOG = f'{MODELS}/targets/hog.py'
SPECTRUM = f'{MODELS}/spectrum.py'

CONTRACTS = ('tests/contracts/test_pretraining.py',)
MASK_CONTRACTS = ('tests/contracts/test_masks.py',)
VITMAE = ('tests/parity/test_transformers_vitmae.py',)
BEIT_PARITY = ('tests/parity/test_beit.py',)


def unit(*names: str) -> tuple[str, ...]:
    return tuple(f'tests/models/test_{name}.py' for name in names)


FAULTS = (
    Fault(
        'inverted mask, drawn',
        (
            (
                MASKING,
                'torch.zeros_like(bits, dtype=torch.bool).scatter_(1, hidden, True)',
                'torch.ones_like(bits, dtype=torch.bool).scatter_(1, hidden, False)',
            ),
        ),
        MASK_CONTRACTS + unit('masking'),
    ),
    Fault(
        'inverted mask, read',
        ((TOKENS, 'order = mask.flatten(1).to', 'order = (~mask).flatten(1).to'),),
        CONTRACTS + unit('tokens'),
    ),
    Fault(
        'inverted mask, between the parts',
        (
            (
                ALGORITHM,
                'latent = self.backbone(corrupted.images, corrupted.mask)',
                'latent = self.backbone(corrupted.images, ~corrupted.mask)',
            ),
        ),
        VITMAE + unit('masked_image_modeling'),
    ),
    Fault(
        'loss over all cells',
        (
            (LOSS, 'if mask is None:', 'if mask is None or pred.shape == target.shape:'),
            (DECODER, "predict='masked',", "predict='all',"),
        ),
        CONTRACTS + unit('regression_loss'),
    ),
    Fault(
        'loss over the cells of another sample',
        (
            (
                LOSS,
                'target = tokens.masked(target, mask)',
                'target = tokens.masked(target, mask.roll(1, 0))',
            ),
        ),
        CONTRACTS + unit('regression_loss'),
    ),
    Fault(
        'masked tokens kept',
        (
            (BACKBONE, "drop = mask is not None and self.masked == 'drop'", 'drop = False'),
            (
                BACKBONE,
                'if not drop and mask is not None:',
                "if mask is not None and self.masked == 'replace':",
            ),
        ),
        (f'{CONTRACTS[0]}::test_masked_pixels_do_not_reach_the_latent',),
    ),
    Fault(
        'mask token forgotten, decoder',
        (
            (
                DECODER,
                'self.mask_token + tokens.gather(pos, missing)',
                'tokens.gather(pos, missing)',
            ),
        ),
        CONTRACTS,
    ),
    Fault(
        'mask token forgotten, encoder',
        ((BACKBONE, 'token = self.mask_token.to', 'token = torch.zeros_like(self.mask_token).to'),),
        unit('masked_vit'),
    ),
    Fault(
        'mask token forgotten, mid-level',
        ((VIT, 'self.mid_mask_token.expand', 'torch.zeros_like(self.mid_mask_token).expand'),),
        CONTRACTS,
    ),
    Fault(
        'off-by-one count',
        (
            (
                MASKING,
                'num_cells - int(num_cells * (1 - mask_ratio))',
                'num_cells - int(num_cells * (1 - mask_ratio)) - 1',
            ),
        ),
        MASK_CONTRACTS,
    ),
    Fault(
        'last row and column never masked',
        (
            (
                MASKING,
                '        hidden = bits.argsort',
                '        bits.view(-1, *grid)[:, -1] = torch.iinfo(torch.int64).min\n'
                '        bits.view(-1, *grid)[:, :, -1] = torch.iinfo(torch.int64).min\n'
                '        hidden = bits.argsort',
            ),
        ),
        MASK_CONTRACTS,
    ),
    Fault(
        'wrong patch order, columns before rows',
        ((TOKENS, '(0, 2, 4, 3, 5, 1) if channels_last', '(0, 4, 2, 3, 5, 1) if channels_last'),),
        VITMAE,
    ),
    Fault(
        'wrong patch order, channels first',
        ((TOKENS, '(0, 2, 4, 3, 5, 1) if channels_last', '(0, 2, 4, 1, 3, 5) if channels_last'),),
        VITMAE,
    ),
    Fault(
        'wrong patch order, transposed inside',
        ((TOKENS, 'else (0, 2, 4, 1, 3, 5)', 'else (0, 2, 4, 1, 5, 3)'),),
        CONTRACTS,
    ),
    Fault(
        'wrong patch order, predictions of visible and inserted cells',
        ((DECODER, 'order.argsort(dim=1)', 'order'),),
        unit('decoder'),
    ),
    Fault(
        'swapped sin-cos halves',
        (
            (
                POSITION,
                "halves = (columns, rows) if convention == 'column_first'",
                "halves = (columns, rows) if convention == 'row_first'",
            ),
        ),
        VITMAE,
    ),
    Fault(
        'position embedding forgotten, encoder',
        ((BACKBONE, 'x = x + (tokens.visible(patch_pos, mask) if drop else patch_pos)', 'pass'),),
        CONTRACTS,
    ),
    Fault(
        'position embedding forgotten, decoder',
        ((DECODER, 'cells + tokens.gather(pos, given)', 'cells'),),
        VITMAE,
    ),
    Fault(
        'position embedding forgotten, mid-level mask tokens',
        (
            (
                VIT,
                'mid_tokens + tokens.gather(',
                'mid_tokens + 0 * tokens.gather(',
            ),
        ),
        unit('masked_vit'),
    ),
    Fault(
        'global instead of per-patch normalisation',
        ((TARGET, 'var_mean(target, dim=-1,', 'var_mean(target, dim=(1, 2),'),),
        VITMAE,
    ),
    Fault(
        'biased for unbiased variance',
        (
            (
                TARGET,
                'var_mean(target, dim=-1, keepdim=True, correction=int(self.unbiased)',
                'var_mean(target, dim=-1, keepdim=True, correction=0',
            ),
        ),
        VITMAE,
    ),
    Fault(
        'statistics tool off by one image',
        (
            (
                'mmmim/datasets/statistics.py',
                'images = [sample',
                'samples = samples[1:]\n    images = [sample',
            ),
        ),
        ('tests/datasets/test_patch_statistics.py',),
    ),
    Fault(
        'dropout active in eval',
        ((TRANSFORMER, 'self.attn_drop_rate if self.training else 0.0', 'self.attn_drop_rate'),),
        CONTRACTS,
    ),
    Fault(
        'drop edge in the encoder',
        ((BACKBONE, 'attn_drop_rate=attn_drop_rate,', 'attn_drop_rate=attn_drop_rate or 0.3,'),),
        CONTRACTS,
    ),
    Fault(
        'stochastic depth applied twice',
        (
            (
                TRANSFORMER,
                'return x + self.ffn(self.ln2(x))',
                'return x + self.ffn.out_drop(self.ffn(self.ln2(x)))',
            ),
        ),
        unit('transformer') + ('tests/parity/test_backbones.py',),
    ),
    Fault(
        'attention dropout lost, in the layer',
        (
            (
                TRANSFORMER,
                'dropout_p=self.attn_drop_rate if self.training else 0.0',
                'dropout_p=0.0',
            ),
        ),
        CONTRACTS,
    ),
    Fault(
        'attention dropout lost, in the decoder',
        ((DECODER, 'attn_drop_rate=drop_edge', 'attn_drop_rate=0.0'),),
        CONTRACTS,
    ),
    Fault(
        'layer decay not reaching a block, by the backbone',
        ((OUTPUTS, "if name.startswith('layers.'):", "if name.startswith('layers.0.'):"),),
        unit('masked_vit'),
    ),
    Fault(
        'layer decay not reaching a block, by the names',
        (
            (
                'mmmim/engine/optimizers/layer_depth.py',
                'return int(block[1]) + 1',
                'return int(block[1]) + 1 if int(block[1]) else num_layers',
            ),
        ),
        ('tests/engine/test_layer_decay.py',),
    ),
    Fault(
        'checkpoint prefix not stripped',
        (('mmmim/transfer/layouts.py', 'name[len(prefix) :]: value', 'name: value'),),
        ('tests/transfer/test_loader.py',),
    ),
    Fault(
        'momentum encoder not updated',
        ((MOMENTUM, 'self._average(pairs, m)\n        if', 'if'),),
        unit('momentum', 'contrastive_mim'),
    ),
    Fault(
        'momentum encoder not updated, by the optimizer step',
        (('mmmim/models/step_follower.py', 'follower.after_step()', 'pass'),),
        unit('momentum', 'contrastive_mim'),
    ),
    Fault(
        'InfoNCE positive in the denominator twice',
        (
            (
                CONTRASTIVE,
                '            labels = torch.arange(',
                '            own = logits[..., first : first + len(query)]\n'
                '            own = own.diagonal(dim1=1, dim2=2).unsqueeze(-1)\n'
                '            logits = torch.cat([logits, own], dim=-1)\n'
                '            labels = torch.arange(',
            ),
        ),
        unit('contrastive_loss', 'contrastive_mim'),
    ),
    Fault(
        'missing stop-gradient on the alignment target',
        ((ALIGNMENT, '@torch.no_grad()\n    def encode_masked', 'def encode_masked'),),
        unit('latent_regressor') + ('tests/parity/test_mmpretrain_cae.py',),
    ),
    Fault(
        'last row and column never masked, by blocks',
        (
            (BLOCKS, 'numbers[2] * (height - h + 1)', 'numbers[2] * (height - h)'),
            (BLOCKS, 'numbers[3] * (width - w + 1)', 'numbers[3] * (width - w)'),
        ),
        unit('block_masking'),
    ),
    Fault(
        'stochastic depth applied twice, in the regressor',
        (
            (
                'mmmim/models/regressor_block.py',
                'self.ffn(x)))',
                'self.drop_path(self.ffn(x))))',
            ),
        ),
        unit('latent_regressor'),
    ),
    Fault(
        'attention dropout lost, in BEiT blocks',
        ((BEIT, 'self.attn_drop_rate if self.training else 0.0', '0.0'),),
        BEIT_PARITY,
    ),
    Fault(
        'stochastic depth applied twice, in BEiT blocks',
        (
            (
                BEIT,
                'self.drop_path(_scale(self.gamma_2, self.ffn(self.ln2(x))))',
                'self.drop_path(self.drop_path(_scale(self.gamma_2, self.ffn(self.ln2(x)))))',
            ),
        ),
        BEIT_PARITY,
    ),
    Fault(
        'relative positions of query and key swapped',
        ((REL_POS, 'rows.unsqueeze(1) - rows +', 'rows - rows.unsqueeze(1) +'),),
        BEIT_PARITY + unit('rel_pos'),
    ),
    Fault(
        'Gaussian window on the gradients',
        ((HOG, 'pool=8, gaussian_window=0', 'pool=8, gaussian_window=16'),),
        unit('hog_target'),
    ),
    Fault(
        'squares of several cells not hidden as a whole',
        ((MASKING, 'unit or patch_size', 'patch_size'),),
        unit('masking'),
    ),
    Fault(
        'gradient through the weights of frequencies',
        ((SPECTRUM, 'squared.detach().sqrt()', '(squared + 1e-12).sqrt()'),),
        unit('frequency_losses'),
    ),
    Fault(
        'a frozen encoder drops out in training',
        ((OUTPUTS, '            part.eval()\n', '            part.train(mode)\n'),),
        unit('attentive_probe'),
    ),
    Fault(
        'an attentive probe with statistics of the batch in evaluation',
        (
            (
                'mmmim/models/heads/attentive.py',
                'affine=False)',
                'affine=False, track_running_stats=False)',
            ),
        ),
        unit('attentive_probe'),
    ),
    Fault(
        'trust ratio on biases',
        (('mmmim/engine/optimizers/lars.py', 'if param.ndim > 1:', 'if param.ndim > 0:'),),
        ('tests/engine/test_lars.py',),
    ),
)

# Mistakes of parts that do not exist yet; plant them together with the part.
PENDING = {}
