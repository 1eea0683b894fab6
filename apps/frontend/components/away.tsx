"use client";

import { useEffect, useRef, useState } from "react";
import { AWAY } from "@/lib/api";

const EVERY_MS = 5000;

/** Says that the service is away and keeps trying until it is back. */
export function Away({
  onRetry,
  note = "Nothing you saved is lost; this page keeps trying.",
}: {
  onRetry: () => Promise<void>;
  note?: string;
}) {
  const [trying, setTrying] = useState(false);
  const retry = useRef(onRetry);

  useEffect(() => {
    retry.current = onRetry;
  }, [onRetry]);

  useEffect(() => {
    const timer = setInterval(() => void retry.current(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);

  async function now() {
    setTrying(true);
    await onRetry();
    setTrying(false);
  }

  return (
    <div className="notice warning" role="alert">
      <p>
        {AWAY} {note}
      </p>
      <button type="button" disabled={trying} onClick={() => void now()}>
        Try again
      </button>
    </div>
  );
}
