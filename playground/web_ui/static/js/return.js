// The page was reloaded without its token in the address: this tab still knows it.
const token = sessionStorage.getItem("token");
const address = new URL(location.href);

if (address.searchParams.has("token")) sessionStorage.removeItem("token");
else if (token) {
  address.searchParams.set("token", token);
  location.replace(address);
}
