"""As adamw_coslr_pretrain_100e.py, to be stopped early: whatever max_epochs says, the schedule is
laid out for 100 epochs.

Few images are over-fitted soon ("early-stop trick", occlusion-invariant paper, section 4); the 20
epochs of warm-up would not fit into 2 to 10 epochs, so these runs end within it [our reading]. To
shrink the schedule instead, take adamw_coslr_pretrain_100e.py with a shorter warm-up.
"""

_base_ = 'adamw_coslr_pretrain_100e.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=0.0,
        begin=20,
        end=100,
        T_max=80,
        convert_to_iter_based=True,
    ),
]
