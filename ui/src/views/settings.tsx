// Clusters, who may do what, secrets, and who is told: what is set once and seldom looked at.
import type { ReactNode } from "react";
import { useSession } from "../api/session";
import { Accounts, Password, Tokens } from "./settings-access";
import { Clusters } from "./settings-clusters";
import { Notifications } from "./settings-notifications";
import { Secrets } from "./settings-secrets";

export default function Settings(): ReactNode {
  const { may } = useSession();
  const admin = may("admin");
  return (
    <>
      <div className="head">
        <h1>Settings</h1>
      </div>
      <div className="stack">
        <Clusters />
        <Tokens />
        {admin && <Accounts />}
        {admin && <Secrets />}
        <Notifications />
        <Password />
      </div>
    </>
  );
}
