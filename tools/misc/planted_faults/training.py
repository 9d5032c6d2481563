"""Dropout, gradients, momentum, learning rates, losses."""

from .fault import (
    ALIGNMENT,
    BACKBONE,
    BEIT,
    BEIT_PARITY,
    CONTRACTS,
    CONTRASTIVE,
    DECODER,
    MOMENTUM,
    OUTPUTS,
    SPECTRUM,
    TRANSFORMER,
    Fault,
    unit,
)

FAULTS = (
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
                'return x + through(self.ln2, x, lambda y: self.ffn(y, lean), lean)',
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
                'self.drop_path(scaled(self.gamma_2, out))',
                'self.drop_path(self.drop_path(scaled(self.gamma_2, out)))',
            ),
        ),
        BEIT_PARITY,
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
