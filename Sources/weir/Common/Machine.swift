import Glibc

/// The program, and the machine on which it runs.
enum Machine {
    /// The version of the program.
    static let version = "0.1.0"

    /// The kernel's name, release and machine, as `uname -srm` prints them.
    static var operatingSystem: String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }
}
