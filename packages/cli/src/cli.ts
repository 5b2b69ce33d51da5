import {
  ArgumentScannerError,
  buildApplication,
  formatMessageForArgumentScannerError,
  help as showHelp,
  run,
  text_en,
  version as showVersion,
  type ApplicationText,
} from '@stricli/core';
import { isAbort, PlumbError, toPlumbError, oneLine } from '@plumb/core';
import { githubInert } from './ci-github.ts';
import { routes } from './commands.ts';
import { createContext, readGlobalFlags, type Surroundings } from './context.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { jsonText } from './json-text.ts';
import { errorsOf, formatErrors } from './report-error.ts';
import { styleOf } from './style.ts';
import { JSON_VERSION, VERSION } from './version.ts';

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(inputs: readonly string[], outer: Surroundings): Promise<number> {
  const globals = readGlobalFlags(inputs, outer.env);
  const surroundings = globals.isReadByGithub ? withInertErrors(outer) : outer;
  const style = styleOf(surroundings.env, {
    isTerminal: surroundings.stdout.isTTY ?? false,
    noColor: globals.noColor,
  });
  const context = createContext(surroundings, globals, style);
  const verb = inputs.find((input) => !input.startsWith('-')) ?? '';

  /** Where JSON was asked for, its reader gets the first error too; people get all of them. */
  function report(thrown: unknown): string {
    if (isAbort(thrown, surroundings.signal)) return 'interrupted';
    const errors = errorsOf(thrown);
    const [first] = errors;
    if (globals.wantsJson && first !== undefined) {
      // The contract of `render` fixes its output, so it carries no version.
      const version = verb === 'render' ? {} : { apiVersion: JSON_VERSION };
      surroundings.stdout.write(`${jsonText({ ...version, error: first.toRecord() })}\n`);
    }
    return formatErrors(errors, { isVerbose: globals.isVerbose });
  }

  const help = `See "plumb ${verb === '' || verb.length > 20 ? '' : `${oneLine(verb)} `}--help".`;
  const application = buildApplication(
    routes,
    {
      name: 'plumb',
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      documentation: { disableAnsiColor: true },
      localization: { text: errorTexts(report, help) },
      determineExitCode: (thrown) => (isAbort(thrown, surroundings.signal) ? EXIT.interrupted : exitCodeOf(thrown)),
    },
    {
      help: showHelp({ brief: 'Print this help', defaultForRouteMap: true, formatting: HELP_FORMAT }),
      // Its usual alias, -v, is for --verbose here.
      version: showVersion({ brief: 'Print the version', alias: false, info: { currentVersion: VERSION } }),
    },
  );
  await run(application, inputs, context);
  const code = Number(context.process.exitCode ?? 0);
  // Negative ones are stricli's own: the command line could not be read, or a verb could not be loaded.
  if (code === UNKNOWN_COMMAND || code === INVALID_ARGUMENT) return EXIT.input;
  if (code < 0 || code > 255) return EXIT.internal;
  return code === 0 ? context.answered : code;
}

/** Errors quote what strangers wrote, and a runner reads standard error too. */
function withInertErrors(surroundings: Surroundings): Surroundings {
  const { stderr } = surroundings;
  const write = (text: string): void => stderr.write(githubInert(text));
  return { ...surroundings, stderr: { write, isTTY: stderr.isTTY } };
}

const HELP_FORMAT = {
  caseStyle: 'convert-camel-to-kebab',
  onlyRequiredInUsageLine: true,
  useAliasInUsageLine: false,
} as const;

const UNKNOWN_COMMAND = -5;
const INVALID_ARGUMENT = -4;

function errorTexts(report: (thrown: unknown) => string, help: string): ApplicationText {
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      report(
        new PlumbError('Usage', `there is no verb "${oneLine(input)}"`, {
          fix:
            corrections.length === 0
              ? 'See "plumb --help".'
              : `Did you mean ${corrections.join(' or ').replaceAll('`', '"')}?`,
        }),
      ),
    exceptionWhileParsingArguments: (thrown) => report(usageError(thrown, help)),
    exceptionWhileLoadingCommandFunction: report,
    exceptionWhileLoadingCommandContext: report,
    exceptionWhileRunningCommand: report,
    commandErrorResult: report,
  };
}

function usageError(thrown: unknown, help: string): PlumbError {
  if (!(thrown instanceof ArgumentScannerError)) return toPlumbError(thrown);
  let fix = help;
  const message = formatMessageForArgumentScannerError(thrown, {
    FlagNotFoundError: ({ input, corrections }) => {
      if (corrections.length > 0) fix = `Did you mean ${corrections.map((flag) => `--${flag}`).join(' or ')}?`;
      return `there is no flag --${input}`;
    },
    AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder, input, exception }) =>
      `${externalFlagNameOrPlaceholder} "${input}" ${exception instanceof Error ? exception.message : String(exception)}`,
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `--${externalFlagName} must be one of ${values.join(', ')}, not "${input}"`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value`,
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
    UnexpectedPositionalError: ({ input }) => `there is one argument too many: "${input}"`,
  });
  return new PlumbError('Usage', oneLine(message), { fix });
}
