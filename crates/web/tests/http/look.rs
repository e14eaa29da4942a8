use crate::house::House;
#[actix_web::test]
async fn look() {
    let house = House::local().await;
    let state = house.state.clone();
    let server = actix_web::HttpServer::new(move || {
        let state = state.clone();
        actix_web::App::new().configure(move |c| imapmcp_web::configure(c, state))
    })
    .workers(1)
    .bind(("127.0.0.1", 39111))
    .unwrap();
    let client = house.client("Claude Code", "http://127.0.0.1:39222/callback").await;
    let link = house.server.offer_setup().await.unwrap();
    std::fs::write("/tmp/web-look/info", format!("{client}\n{link:?}\n")).unwrap();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(100), server.run()).await;
}
