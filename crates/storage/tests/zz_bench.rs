use imapmcp_core::store::*; use imapmcp_storage::*; use imapmcp_testkit::builders::{self,NOON,RESOURCE};
#[tokio::test(flavor="multi_thread")]
async fn bench(){ let d=tempfile::tempdir().unwrap(); let db=Database::open(&DatabaseUrl::file(&d.path().join("x.db")).unwrap()).await.unwrap(); db.migrate().await.unwrap();
 let u=builders::user("u"); db.add_user(&u).await.unwrap(); let g=builders::grant("g",&u.id,&imapmcp_core::id::ClientId::personal()); let t=builders::personal_token("t",&g); db.add_personal_token(&g,&t).await.unwrap();
 let r=[RESOURCE.to_owned()]; db.principal(&t.hash,&r,NOON).await.unwrap().unwrap();
 let s=std::time::Instant::now(); for _ in 0..2000 { db.principal(&t.hash,&r,NOON).await.unwrap().unwrap(); } eprintln!("seq {:?}/call", s.elapsed()/2000);
 let s=std::time::Instant::now(); let mut h=vec![]; for _ in 0..16 { let (db,t,r)=(db.clone(),t.clone(),r.clone()); h.push(tokio::spawn(async move{ for _ in 0..500 { db.principal(&t.hash,&r,NOON).await.unwrap().unwrap(); }})); } for x in h {x.await.unwrap();} eprintln!("par {:?}/call", s.elapsed()/8000);
}
