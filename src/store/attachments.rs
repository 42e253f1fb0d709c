//! placeholder while the real one is on its way
#[derive(Debug)]
pub struct Attachments;
#[derive(Debug)]
pub struct E;
impl Attachments {
    pub async fn missing(
        &self,
        _a: &xianjie_core::ids::AgencyCode,
        _w: &[([u8; 32], u64)],
    ) -> Result<Vec<usize>, E> {
        Ok(vec![])
    }
}
