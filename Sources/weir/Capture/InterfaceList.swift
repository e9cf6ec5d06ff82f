import WeirCapture
import WeirWire

/// The interfaces on which packets can be captured.
enum InterfaceList {
    /// Prints a line for each: its name, whether it is up, its description, and its addresses.
    static func print() throws(CaptureError) {
        let interfaces = try NetworkInterface.all()
        let width = interfaces.map(\.name.count).max() ?? 0
        for interface in interfaces {
            let name = interface.name + String(repeating: " ", count: width - interface.name.count)
            let details = [interface.isLoopback ? "loopback" : nil, interface.description].compactMap(\.self)
            let words = [interface.isUp ? "up" : "down"] + details + interface.addresses.map(\.description)
            Swift.print("\(name)  \(words.joined(separator: ", "))")
        }
    }
}
