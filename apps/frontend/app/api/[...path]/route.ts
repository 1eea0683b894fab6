import { forward } from "@/lib/backend";

export const dynamic = "force-dynamic";

const handler = (request: Request): Promise<Response> => forward(request);

export { handler as DELETE, handler as GET, handler as PATCH, handler as POST };
