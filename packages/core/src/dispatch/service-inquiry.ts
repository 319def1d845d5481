import { fromPlainError } from '../errors/error-conversion.js';
import { isClosed } from '../errors/is-closed.js';
import type { Question, ServiceAnswers } from '../protocol/inspection.js';
import type { ServiceLink } from './service-link.js';

interface Asked {
  readonly question: Question;
  readonly resolve: (answer: ServiceAnswers) => void;
  readonly reject: (error: Error) => void;
}

/** Asks the service what it knows. */
export class ServiceInquiry {
  readonly #link: ServiceLink;
  readonly #asked = new Map<string, Asked>();
  #count = 0;

  constructor(link: ServiceLink) {
    this.#link = link;
    link.on('v1.service.answer', (answer) => {
      const asked = this.#asked.get(answer.ask);
      this.#asked.delete(answer.ask);
      if (answer.error) asked?.reject(fromPlainError(answer.error, { where: 'the service' }));
      else asked?.resolve(answer);
    });
    // No question changes anything the second time.
    link.onGreeted(() => {
      for (const [ask, asked] of [...this.#asked]) this.#send(ask, asked);
    });
    link.onLost((error) => {
      for (const asked of this.#asked.values()) asked.reject(error);
      this.#asked.clear();
    });
  }

  /** @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`; why the service can't answer. */
  ask(question: Question): Promise<ServiceAnswers> {
    return new Promise((resolve, reject) => {
      this.#count += 1;
      const ask = String(this.#count);
      const asked = { question, resolve, reject };
      this.#asked.set(ask, asked);
      this.#send(ask, asked);
    });
  }

  #send(ask: string, { question, reject }: Asked): void {
    try {
      this.#link.send({ type: 'v1.service.ask', ask, ...question });
    } catch (error) {
      // It is asked as soon as there is a connection again.
      if (isClosed(error) && this.#link.goesOn) return;
      this.#asked.delete(ask);
      reject(error as Error);
    }
  }
}
