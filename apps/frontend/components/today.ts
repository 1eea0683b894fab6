"use client";

import { useEffect, useState } from "react";
import { isoDate } from "@/lib/dates";

const EVERY_MS = 20_000;

/** Today's date, also after midnight and when a laptop wakes up. */
export function useToday(): string {
  const [today, setToday] = useState(() => isoDate(new Date()));

  useEffect(() => {
    const look = () => setToday(isoDate(new Date()));
    const timer = setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);

  return today;
}
