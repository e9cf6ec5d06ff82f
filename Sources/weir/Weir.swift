import ArgumentParser
import CWeir
import Glibc
import WeirWire

/// The program's command, with its subcommands, which do the work.
struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "Sits in a stream and shows what flows through it: a relay for TCP and UDP.",
        discussion: """
            Start with 'weir demo', which shows all of it on loopback in a few seconds. Then put Weir between a client \
            and its server:

              weir relay tcp:9000=127.0.0.1:65432

            and point the client at port 9000; or let Weir start the client, which needs no settings then:

              weir run -- ./client

            Records go to standard output, diagnostics to standard error.

            Exit codes: 0 done; 1 an expectation failed, or there is no such flow; 64 usage; 65 not a capture, or a damaged \
            one; 66 no such file, or a folder; 69 a port is in use or a name cannot be resolved; 70 internal; 73 a file \
            cannot be made; 74 input or output; 77 permission denied. 'weir run' ends with its command's.
            """,
        version: Machine.version,
        subcommands: commands
    )

    private static var commands: [any ParsableCommand.Type] {
        var commands: [any ParsableCommand.Type] = [
            RunCommand.self, RelayCommand.self, EchoCommand.self, ConnectCommand.self, CaptureCommand.self,
            ShowCommand.self, PortsCommand.self, ToxicCommand.self,
        ]
        #if TLS
        commands.append(CACommand.self)
        #endif
        return commands + [DemoCommand.self]
    }
}

/// The start of the program: the main thread waits for signals while the command runs on others.
package enum CommandLineProgram {
    /// Runs the command in the arguments, and ends the program.
    package static func main() {
        StandardStreams.fillGaps()
        Signals.block()
        if CommandLine.argc == 2, let word = CommandLine.unsafeArgv[1], strcmp(word, "--version") == 0 {
            // The argument parser, and even `print`, would first search all types of the program: 7 MB of pages.
            puts(Machine.version)
            Glibc.exit(ExitStatus.done.rawValue)
        }
        weir_tune_allocator()
        Task.detached {
            await run()
            Glibc.exit(ExitStatus.done.rawValue)
        }
        Signals.wait()
    }

    private static func run() async {
        do {
            var command = try Weir.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Diagnostics.print(failure.message)
            Glibc.exit(failure.code.rawValue)
        } catch {
            explainMistypedCommand(Array(CommandLine.arguments.dropFirst()))
            Weir.exit(withError: error)
        }
    }

    /// Ends the program if the refused arguments name a command that does not exist; suggests what was meant.
    private static func explainMistypedCommand(_ arguments: [String]) {
        var command: any ParsableCommand.Type = Weir.self
        var path: [String] = []
        for (index, word) in arguments.enumerated() {
            if index == 0, word == "help" { continue }
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !word.hasPrefix("-") else { return }
            path.append(word)
            let isNamed = { (type: any ParsableCommand.Type) in
                type.configuration.commandName == word || type.configuration.aliases.contains(word)
            }
            if let next = subcommands.first(where: isNamed) {
                command = next
                continue
            }
            let names = subcommands.compactMap { $0.configuration.commandName }
            let near = Spelling.nearest(to: word, among: names + ["help"]).map { "Did you mean '\($0)'? " } ?? ""
            let list = names.joined(separator: ", ")
            let name = path.joined(separator: " ")
            let parent = (["weir"] + path.dropLast()).joined(separator: " ")
            // As the argument parser writes it, which knows the usage of the whole command only here.
            Diagnostics.write(
                """
                Error: There is no command '\(name)'. \(near)The commands are \(list).
                Usage: \(Weir.usageString(for: command))
                  See '\(parent) --help' for more information.

                """
            )
            Glibc.exit(ExitStatus.usage.rawValue)
        }
    }
}

/// The three descriptors with which a program starts.
enum StandardStreams {
    /// Opens something in place of those that are closed (`<&-`), so that nothing else gets their numbers.
    ///
    /// Reading from it returns the end at once, and writing fails. Call it first of all.
    static func fillGaps() {
        while true {
            let raw = open("/dev/null", O_RDONLY)
            if raw > STDERR_FILENO {
                close(raw)
                return
            }
            guard raw < 0 else { continue }
            // Without /dev/null use a pipe's read end: it is at its end, and cannot be written to.
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { exit(ExitStatus.internalError.rawValue) }
            close(ends[1])
            if ends[0] > STDERR_FILENO {
                close(ends[0])
                return
            }
        }
    }
}
