//! A server that can copy and not remove: nothing piles up.

use crate::scripted::{scripted, uids};
use imapmcp_testkit::servers::Features;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_is_not_copied_however_often_it_is_asked() {
    for features in [Features::bare(), Features::modern().without("MOVE").without("UIDPLUS")] {
        let house = scripted(features).await;
        let ids = house.ids("INBOX", uids(&house.fill("INBOX", 3))).await;
        let before = house.really().await;
        for (tool, more) in [
            ("archive_messages", json!({})),
            ("move_messages", json!({ "to_folder": "Archive" })),
            ("delete_messages", json!({})),
        ] {
            for round in 0..3 {
                let mut call = json!({ "ids": ids });
                call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                let error = house.lied_to(&[], tool, call).await.unwrap_err();
                let told = format!("{tool} {round}: {error}");
                assert_eq!(error["code"], json!("cannot_move"), "{told}");
                assert_eq!(error["retryable"], json!(false), "{told}");
                assert_eq!(error["next_tool"], json!("copy_messages"), "{told}");
                assert!(error["hint"].as_str().unwrap().contains("nothing was changed"), "{told}");
                assert!(error.get("operation_id").is_none(), "{told}");
                assert_eq!(house.really().await, before, "{told}");
            }
        }
        for action in ["archive", "delete"] {
            let plan = house.owner("plan_bulk", json!({ "query": "subject:number", "action": action })).await;
            for _ in 0..3 {
                let run = house.lied_to(&[], "run_plan", json!({ "plan_id": plan["plan_id"] })).await;
                assert_eq!(run.unwrap_err()["code"], json!("cannot_move"), "{action}");
                assert_eq!(house.really().await, before, "{action}");
            }
        }
        let forever = house.lied_to(&[], "delete_messages", json!({ "ids": ids, "permanent": true })).await;
        assert_eq!(forever.unwrap_err()["code"], json!("cannot_expunge"));
        assert_eq!(house.really().await, before);
        // a copy can be made, and is not offered to be taken back by a server that cannot remove it
        let copied = house.owner("copy_messages", json!({ "ids": ids, "to_folder": "Archive" })).await;
        assert_eq!(copied["done"].as_array().unwrap().len(), 3, "{copied}");
        assert!(copied.get("operation_id").is_none(), "{copied}");
    }
}
