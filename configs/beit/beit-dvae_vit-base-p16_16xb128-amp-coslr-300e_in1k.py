"""BEiT, ViT-B/16, 300 epochs, with the tokens of our own discrete VAE.

The tokenizer first: configs/cae, any cae-tokenizer config.

Command: bash tools/dist_train.sh
    configs/beit/beit-dvae_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = 'beit_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(
    target=dict(
        tokenizer=dict(
            _delete_=True,
            type='mmmim.DiscreteVAE',
            num_tokens=8192,
            codebook_dims=512,
            hidden_dims=256,
            checkpoint='work_dirs/dvae/tokenizer.pth',
        )
    )
)
