import ArgumentParser
import Glibc
import WeirEngine
import WeirRelay

/// The error that a program gets for a destination that it cannot reach.
enum DenialArgument: String, ExpressibleByArgument, CaseIterable {
    case refused, unreachable, timeout, acces

    /// The error's number.
    var error: ErrorNumber {
        switch self {
        case .refused: .connectionRefused
        case .unreachable: ErrorNumber(ENETUNREACH)
        case .timeout: .timedOut
        case .acces: ErrorNumber(EACCES)
        }
    }
}

/// The options for which destinations are relayed, lead elsewhere or cannot be reached.
struct DestinationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Relay only these destinations; the rest goes its own way untouched. May be repeated.",
            valueName: "filter"
        )
    )
    var only: [String] = []

    @Option(
        help: ArgumentHelp(
            "Do not relay these destinations, which go their own way. May be repeated.",
            valueName: "filter"
        )
    )
    var except: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Send what goes to one destination to another (HOST:PORT=HOST:PORT), or give a name another address in DNS \
            answers (NAME=ADDRESS). May be repeated.
            """,
            valueName: "map"
        )
    )
    var map: [String] = []

    @Option(
        help: ArgumentHelp("Let the program not reach these destinations. May be repeated.", valueName: "filter")
    )
    var deny: [String] = []

    @Option(help: "The error for --deny: refused (the default), unreachable, timeout or acces.")
    var denyWith: DenialArgument?

    func validate() throws {
        if denyWith != nil, deny.isEmpty { throw ValidationError("--deny-with needs --deny FILTER.") }
    }

    /// Adds the choices to the settings of a watcher.
    ///
    /// - Parameter settings: the settings.
    /// - Throws: `Failure` with 64 if a filter or a map is wrong.
    func apply(to settings: inout WatchSettings) throws(Failure) {
        settings.only = try Self.filters(only, of: "--only")
        settings.except = try Self.filters(except, of: "--except")
        settings.denied = try Self.filters(deny, of: "--deny")
        settings.denial = (denyWith ?? .refused).error
        for text in map {
            do throws(DestinationFilterError) {
                if let map = try NameMap(parsing: text) {
                    settings.nameMaps.append(map)
                } else {
                    settings.maps.append(try DestinationMap(parsing: text))
                }
            } catch {
                throw Failure(.usage, "--map: \(error)")
            }
        }
        try Self.check(settings)
    }

    /// Checks that the maps of names can be made, and that `--except` does not leave the DNS answers out.
    private static func check(_ settings: WatchSettings) throws(Failure) {
        for toxic in NameMap.toxics(settings.nameMaps) {
            do throws(ToxicError) {
                _ = try toxic.validated()
            } catch {
                throw Failure(.usage, "--map: \(error)")
            }
        }
        guard settings.needsNames, let filter = settings.except.first(where: \.isOfAllNameServers) else { return }
        throw Failure(
            .usage,
            "--except \(filter) leaves out the DNS answers from which names are known; name the hosts that it is for"
        )
    }

    private static func filters(_ texts: [String], of option: String) throws(Failure) -> [DestinationFilter] {
        var filters: [DestinationFilter] = []
        for text in texts {
            do throws(DestinationFilterError) {
                filters.append(try DestinationFilter(parsing: text))
            } catch {
                throw Failure(.usage, "\(option): \(error)")
            }
        }
        return filters
    }
}
