//! xianjie (衔接): the exchange hub for community corrections (社区矫正).
