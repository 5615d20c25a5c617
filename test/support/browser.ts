import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'

/** Debian's own; pages wait for a busy machine. */
const executablePath = '/usr/bin/chromium'
const patienceMs = 30_000

export async function openBrowser(): Promise<Browser> {
  // Tests run as root, where Chromium's own sandbox does not work.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
}

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly theme?: 'dark' | 'light'
  readonly language?: 'en' | 'ja'
}

/** A page as of a browser of its own: no cookie of another one. `problems`: what its console complains of. */
export async function newPage(
  browser: Browser,
  options: PageOptions = {},
): Promise<{ page: Page; problems: string[] }> {
  const { width = 1280, height = 800, theme = 'dark', language = 'en' } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    locale: language === 'ja' ? 'ja-JP' : 'en-GB',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(patienceMs)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // A refused login is in the console as well, and is none of the page's faults.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) problems.push(message.text())
  })
  return { page, problems }
}
