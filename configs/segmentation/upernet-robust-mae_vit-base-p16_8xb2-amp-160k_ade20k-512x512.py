"""UperNet on ADE20K from Robust MAE's ViT-B: lr 8e-5, layer decay 0.8, drop path 0.1.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

MAE's values [our reading: the paper gives UperNet, 160k iterations and nothing else, and compares
with MAE]. The paper's number: not in our copy.
"""

_base_ = ['./upernet-mae_vit-base-p16_8xb2-amp-160k_ade20k-512x512.py']
