"""Attentive probing of CAE's code: SGD at 0.4, no weight decay, 90 epochs, 10 of them warm-up."""

_base_ = 'lars_coslr_linear.py'

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=0.4, momentum=0.9, weight_decay=0.0)
)
auto_scale_lr = dict(base_batch_size=8192)
