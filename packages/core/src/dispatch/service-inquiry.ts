import { fromPlainError } from '../errors/error-conversion.js';
import type { Question, ServiceAnswers } from '../protocol/inspection.js';
import type { ServiceLink } from './service-link.js';

interface Asked {
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
      this.#asked.set(ask, { resolve, reject });
      try {
        this.#link.send({ type: 'v1.service.ask', ask, ...question });
      } catch (error) {
        this.#asked.delete(ask);
        reject(error as Error);
      }
    });
  }
}
