export const dynamic = "force-dynamic";

/** Tells that the process answers. */
export function GET(): Response {
  return Response.json({ status: "ok" });
}
