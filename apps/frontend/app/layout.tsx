import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { EARLY } from "@/lib/early.mts";
import "./globals.css";

export const metadata: Metadata = { title: "Todo", description: "A small, careful todo list" };
export const viewport: Viewport = { width: "device-width", initialScale: 1, colorScheme: "light dark" };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    // The script sets the theme of this element before React sees it.
    <html lang="en" suppressHydrationWarning>
      <head>
        <script dangerouslySetInnerHTML={{ __html: EARLY }} />
      </head>
      <body>
        {children}
        <noscript>This application needs JavaScript.</noscript>
      </body>
    </html>
  );
}
