import * as z from 'zod';

/**
 * One event as the platform tells it; ids are opaque and only ever given back. Figures of the moment have none: the
 * latest of them are told at each opening, and nobody goes on behind one.
 */
const eventSchema = z.object({
  id: z.string().optional(),
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type LiveEvent = z.infer<typeof eventSchema>;
const markSchema = z.object({ type: z.enum(['stream.opened', 'stream.reset']), after: z.string() });

export type LiveState = 'connecting' | 'open' | 'interrupted';

interface Options {
  url: string;
  /** A token for the first message; `renew` asks for a fresh one. Null: nobody is logged in. */
  getToken: (renew: boolean) => Promise<string | null>;
  onEvent: (event: LiveEvent) => void;
  /** Something may have been missed: what is on the screen must be read anew. */
  onGap: () => void;
  onState: (state: LiveState) => void;
}

const TOKEN_REFUSED = 4401;
/** Codes with which the platform says that trying again is of no use. */
const FINAL_CODES = new Set([4400, 4403]);
/** ms; the wait doubles from the first to the last. */
const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 30_000;
const ATTEMPTS_UNNOTICED = 3;
/** How often a token message is sent, so that the channel outlives the token (ten minutes). */
const RENEW_EVERY_MS = 4 * 60_000;

/**
 * The live channel (`GET /api/v1/events`): the token and the last event seen go first; after an interruption the
 * platform sends what was missed, or says that it cannot (`stream.reset`).
 */
export class LiveChannel {
  private socket: WebSocket | null = null;
  private after: string | null = null;
  private failures = 0;
  private renewToken = false;
  private stopped = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private renewTimer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: Options) {}

  start(): void {
    this.options.onState('connecting');
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    clearInterval(this.renewTimer);
    this.socket?.close(1000);
  }

  private async connect(): Promise<void> {
    const token = await this.options.getToken(this.renewToken).catch(() => undefined);
    if (this.stopped || token === null) return;
    if (token === undefined) {
      this.retryLater();
      return;
    }
    this.renewToken = false;
    const socket = new WebSocket(this.options.url);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ token, after: this.after }));
    socket.onmessage = (message) => this.receive(String(message.data));
    socket.onclose = (closing) => this.handleClose(closing.code);
  }

  private receive(text: string): void {
    const message: unknown = JSON.parse(text);
    const mark = markSchema.safeParse(message);
    if (mark.success) {
      // The very first opening may come after something was read and before it changed.
      if (mark.data.type === 'stream.reset' || this.after === null) this.options.onGap();
      this.after = mark.data.after;
      this.markOpen();
      return;
    }
    const event = eventSchema.safeParse(message);
    if (!event.success) return;
    this.after = event.data.id ?? this.after;
    this.options.onEvent(event.data);
  }

  private markOpen(): void {
    this.failures = 0;
    this.options.onState('open');
    clearInterval(this.renewTimer);
    this.renewTimer = setInterval(() => void this.sendToken(), RENEW_EVERY_MS);
  }

  private async sendToken(): Promise<void> {
    const token = await this.options.getToken(true).catch(() => undefined);
    if (token && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ token }));
  }

  private handleClose(code: number): void {
    clearInterval(this.renewTimer);
    if (this.stopped) return;
    this.renewToken = code === TOKEN_REFUSED;
    if (FINAL_CODES.has(code)) this.options.onState('interrupted');
    else this.retryLater();
  }

  private retryLater(): void {
    this.options.onState('interrupted');
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.failures, LAST_WAIT_MS);
    this.failures += 1;
    // While the channel is away for longer, what is on the screen is at least as fresh as the latest attempt.
    if (this.failures > ATTEMPTS_UNNOTICED) this.options.onGap();
    // Up to a quarter more, so that all pages do not come back in the same moment.
    this.retryTimer = setTimeout(() => void this.connect(), wait * (1 + Math.random() / 4));
  }
}
