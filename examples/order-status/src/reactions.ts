import { shelfOf } from './catalogue.js';
import type { StatusChange } from './order.js';

/** What a service does about a change, as a line for its journal: that line is the effect. */
export type Reaction = (change: StatusChange, folder: string) => string | Promise<string>;

const stock: Reaction = async ({ status, article }, folder) => {
  if (status === 'paid') return `reserved one ${article} on shelf ${await shelfOf(folder, article)}`;
  return status === 'packed' ? `took one ${article} away` : 'nothing to do';
};

const shipping: Reaction = ({ status, order }) =>
  status === 'packed' ? `printed the label of ${order}` : `${order} is ${status}`;

const notice: Reaction = ({ status, order }) => `wrote to the customer: your ${order} is ${status}`;

/** The services, each a group of its own. */
export const REACTIONS = { stock, shipping, notice } as const;

/** A service, and its group. */
export type ServiceName = keyof typeof REACTIONS;

export const SERVICES = Object.keys(REACTIONS) as readonly ServiceName[];
