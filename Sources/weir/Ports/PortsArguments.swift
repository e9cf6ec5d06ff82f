public import ArgumentParser
public import WeirEngine
public import WeirRelay
public import WeirWire

extension Transport: ExpressibleByArgument {
    /// Parses `tcp` or `udp`.
    public init?(argument: String) { self.init(argument) }

    /// Both names, for messages and completions; the default would be their numbers.
    public static var allValueStrings: [String] { allCases.map(\.description) }
}

extension PortRange: ExpressibleByArgument {
    /// Parses `LOW-HIGH`.
    public init?(argument: String) { self.init(argument) }
}

extension PortProbe.Style: ExpressibleByArgument {}
