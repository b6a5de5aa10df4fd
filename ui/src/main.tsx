import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/client";
import { SessionProvider } from "./api/session";
import { App } from "./app";
import { applyTheme } from "./theme";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/fleet.css";
import "./style/rollout.css";
import "./style/traffic.css";
import "./style/build.css";

applyTheme();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What was refused stays refused; a hub that is away is asked again.
      retry: (times, error) => times < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
      staleTime: 500,
      refetchOnWindowFocus: true,
      networkMode: "always",
    },
  },
});

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SessionProvider>
        <App />
      </SessionProvider>
    </QueryClientProvider>
  </StrictMode>,
);
