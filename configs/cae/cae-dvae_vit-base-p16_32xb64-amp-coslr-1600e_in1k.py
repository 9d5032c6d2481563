"""CAE, ViT-B/16, 1600 epochs, tokens of a d-VAE trained on ImageNet-1K.

Tokenizer first: configs/cae/cae-tokenizer_cnn-base-p8_8xb128-coslr-20e_in1k-112px.py

Command: bash tools/dist_train.sh
    configs/cae/cae-dvae_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py 32
The paper's numbers (Tables 1 and 3): fine-tuned 83.9, linear 71.4, attentive 77.4, ADE20K 50.1.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py'

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
