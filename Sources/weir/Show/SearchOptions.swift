import ArgumentParser
import Glibc
import WeirAnalysis
import WeirEngine
import WeirWire

/// The options of `weir show` for its views that search: those of bytes, and of what went wrong.
struct SearchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Show where bytes were sent, with what is around them: a text, hex:160301, or /regex/ (/regex/i for either case "
                + "of letters). Streams are searched across their segments.",
            valueName: "text"
        )
    )
    var grep: String?

    @Flag(help: "Show what went wrong, a line each: flows refused, not answered or reset, and errors in messages.")
    var errors = false

    /// The options that were given.
    var given: [String] { [(grep != nil, "--grep"), (errors, "--errors")].filter(\.0).map(\.1) }

    /// Refuses what does not fit together; `others` says whether another view was asked for.
    func check(others: Bool, isLegGiven: Bool) throws {
        guard let first = given.first else { return }
        if given.count > 1 || others {
            throw ValidationError("\(first) is a view of its own: it has no other one beside it.")
        }
        if isLegGiven, errors { throw ValidationError("--leg is not for --errors.") }
    }

    /// Reads the pattern of `--grep`.
    func pattern() throws(Failure) -> SearchPattern? {
        guard let grep else { return nil }
        do throws(PatternError) {
            return try SearchPattern(parsing: grep)
        } catch {
            throw Failure(.usage, "--grep: '\(SafeText.escaped(grep))': \(error)")
        }
    }

    /// Shows the view that was asked for; returns false if none of the options was given.
    func show(
        _ run: inout ShowRun,
        _ query: FlowQuery?,
        leg: FlowLeg?,
        json: Bool,
        _ style: TerminalStyle
    ) throws(Failure) -> Bool {
        if let pattern = try pattern() {
            var view = GrepShow(pattern, query, leg: leg, isJSON: json, style)
            run.show(&view)
        } else if errors {
            var view = ErrorsShow(query, isJSON: json, style)
            run.show(&view)
        } else {
            return false
        }
        return true
    }
}
