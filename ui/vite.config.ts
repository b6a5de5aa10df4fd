import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The hub serves what is built here; `npm run dev` asks a hub on its usual port.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/crossfade/api/page",
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8780" } },
});
