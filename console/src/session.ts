/** Who is logged in, and what that allows. */
import { createContext, useContext } from "react";
import type { Action, Me } from "./api";

export interface Session {
  me: Me;
  can: (action: Action) => boolean;
  logout: () => void;
  renew: (me: Me) => void;
}

export const SessionContext = createContext<Session | null>(null);

/** The session; only below the login page's gate. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("there is no session outside the gate");
  return session;
}
