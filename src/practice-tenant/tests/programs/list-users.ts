// An ordinary Microsoft 365 program: it knows Microsoft's names only, and is pointed here by its environment.
import { ConfidentialClientApplication } from '@azure/msal-node'
import { Client } from '@microsoft/microsoft-graph-client'

const [tenant = '', clientId = '', clientSecret = ''] = process.argv.slice(2)
const authority = `https://login.microsoftonline.com/${tenant}`
const application = new ConfidentialClientApplication({ auth: { authority, clientId, clientSecret } })

const client = Client.init({
  authProvider: (done) => {
    application.acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/.default'] }).then(
      (result) => done(null, result?.accessToken ?? null),
      (error: unknown) => done(error, null),
    )
  },
})

const names: string[] = []
let next: string | undefined = '/users?$top=5&$select=id,userPrincipalName'
while (next !== undefined) {
  const page = (await client.api(next).get()) as {
    value: { userPrincipalName: string }[]
    '@odata.nextLink'?: string
  }
  names.push(...page.value.map(({ userPrincipalName }) => userPrincipalName))
  next = page['@odata.nextLink']
}
console.log(JSON.stringify(names))
