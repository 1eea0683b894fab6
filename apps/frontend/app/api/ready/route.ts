export const dynamic = "force-dynamic";

/** Ready as soon as the process is: pages are served (with a message) while the backend is away. */
export function GET(): Response {
  return Response.json({ status: "ok" });
}
