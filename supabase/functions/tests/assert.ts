// What tests say of values; plain code, so that tests need no network.

export function assertEquals(actual: unknown, expected: unknown): void {
  const [seen, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (seen !== wanted) {
    throw new Error(`expected ${wanted}, got ${seen}`);
  }
}

export async function assertProblem(work: () => unknown, status: number, code: string, field?: string): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { details } = error as { details?: { status: number; code: string; field?: string } };
    assertEquals([details?.status, details?.code, details?.field], [status, code, field]);
    return;
  }
  throw new Error("nothing was thrown");
}
