import WeirWire

/// A map of destinations: what goes to them goes to a target.
public struct DestinationMap: Hashable, Sendable {
    /// The destinations; they have one port.
    public var filter: DestinationFilter
    /// The target.
    public var target: HostPort

    private init(filter: DestinationFilter, target: HostPort) { (self.filter, self.target) = (filter, target) }

    /// Reads a map: `HOST:PORT=TARGET`.
    ///
    /// - Parameter text: the map as on the command line.
    /// - Throws: `DestinationFilterError` with the part that is wrong.
    public init(parsing text: String) throws(DestinationFilterError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw DestinationFilterError(text, "there is no '='", form: .map)
        }
        self = try Self.destinationMap(text[..<equals], text[text.index(after: equals)...], in: text)
    }

    private static func destinationMap(
        _ from: Substring,
        _ to: Substring,
        in text: String
    ) throws(DestinationFilterError) -> DestinationMap {
        let filter: DestinationFilter
        do throws(DestinationFilterError) {
            filter = try DestinationFilter(parsing: String(from))
        } catch {
            throw DestinationFilterError(text, "before '=', \(error.problem)", form: .map)
        }
        guard let ports = filter.ports, ports.count == 1 else {
            throw DestinationFilterError(text, "'\(from)' before '=' needs one port: HOST:PORT", form: .map)
        }
        if filter.host == .any, !from.contains("*") {
            let problem = "'\(from)' before '=' needs a host; every host is *:\(ports.lowerBound)"
            throw DestinationFilterError(text, problem, form: .map)
        }
        return DestinationMap(filter: filter, target: try target(to, in: text))
    }

    private static func target(_ to: Substring, in text: String) throws(DestinationFilterError) -> HostPort {
        let target: HostPort
        do throws(RouteError) {
            target = try HostPort(parsing: to, of: "TARGET", in: text)
        } catch {
            throw DestinationFilterError(text, error.problem, form: .map)
        }
        guard target.host != .loopbackByDefault, target.host != .any, target.port != 0 else {
            let problem = "TARGET '\(to)' needs one host, and a port from 1 to 65535"
            throw DestinationFilterError(text, problem, form: .map)
        }
        return target
    }
}
